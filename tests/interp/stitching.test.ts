/** Teacher → student patching transfers what a linear map can, and does not claim more. */
import wasm from '@grok/backend-wasm';
import { createRegistry, openBackend } from '@grok/core';
import { modularTask } from '@grok/data';
import { hookModel, type LabeledBatch, makeBatch, stitch } from '@grok/interp';
import { expect, test } from 'vitest';
import type { Fixture } from './fixtures.js';
import { readFixture } from './read-fixture.js';

const site = 'blocks.0.hook_resid_post';
const task = modularTask('div', 23);
const rows = [...task.labels.keys()];
const fit = makeBatch(
  task,
  rows.filter((row) => row % 2 === 0),
).inputs;

test('a map transfers a model’s own states, and of another’s only what it explains', async () => {
  // Catches: a map with the wrong direction or position, a map evaluated on the rows it was fitted
  // on, a missing control.
  const backend = await openBackend(createRegistry([wasm]), { backend: 'wasm' });
  const open = ({ model, params }: Fixture) => hookModel({ backend, model, params });
  const [student, other] = [
    open(readFixture('transformer-div23-heads4')),
    open(readFixture('transformer-div23-heads1')),
  ];
  const validation = makeBatch(
    task,
    rows.filter((row) => row % 2 === 1),
  );
  const { logits } = await student.runWithCache(validation.inputs, []);
  const [, width = 0] = logits.shape;
  const answers = validation.labels.map((_, row) => {
    const own = logits.data.subarray(row * width, (row + 1) * width);
    return own.indexOf(Math.max(...own));
  });
  const batch: LabeledBatch = { ...validation, labels: answers };
  const options = { student, fit, batch, teacherSite: site, studentSite: site };
  const same = await stitch({ ...options, teacher: student });
  expect(same.student).toBe(1);
  expect(same.r2).toBeGreaterThan(0.999);
  expect(same.stitched).toBeGreaterThan(0.98);
  expect(same.meanAblated).toBeLessThan(same.stitched - 0.2);
  const foreign = await stitch({ ...options, teacher: other });
  expect(foreign.r2).toBeLessThan(0.9);
  expect(foreign.stitched).toBeLessThan(same.stitched);

  const nanda = open(readFixture('nanda-add29-heads1'));
  await expect(stitch({ ...options, teacher: nanda })).rejects.toThrow(
    'must have the same vocabulary, got 31 and 25 classes',
  );
  const z = { ...options, teacher: other, studentSite: 'blocks.0.attn.hook_z' };
  await expect(stitch(z)).rejects.toThrow('sites must be [pos, width]');
  for (const model of [student, other, nanda]) model.dispose();
  await backend.dispose();
});
