/** A short version of `npm run test:torture`: the same kills and the same damage, but fewer of them. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mutateDocuments } from '../scripts/torture/documents.mjs';
import { kill } from '../scripts/torture/kills.mjs';
import { documentKinds } from '../scripts/torture/kinds.mjs';
import { cli } from '../scripts/torture/processes.mjs';
import { runTarget } from '../scripts/torture/targets.mjs';

test('a damaged file is read, or refused with a readable error (catches: a TypeError, a read that never ends)', async () => {
  const kinds = await documentKinds();
  expect(new Set(kinds.map(({ name }) => name)).size).toBe(kinds.length);
  for (const { name, bytes, read } of kinds)
    await expect(Promise.resolve(read(bytes)), name).resolves.not.toThrow();
  const { read, refused, findings } = await mutateDocuments({ mutations: 650, seed: 20, kinds });
  expect(findings).toEqual([]);
  // Damage that is never detected, or always refused, would prove nothing.
  expect([read > 50, refused > 100]).toEqual([true, true]);
});

test.skipIf(!existsSync(cli))(
  'killed at calls on files, a run ends in the same bits (catches: a file replaced in the wrong order) (skipped without a build)',
  async () => {
    const { kills, findings } = await kill({ kills: 3, seed: 2, targets: [runTarget] });
    expect(findings).toEqual([]);
    // Catches: attempts that came after the run's end counted, or not repeated.
    expect(kills).toBe(3);
  },
);

test('errors not meant for people are detected (catches: a kit that detects nothing)', async () => {
  const bytes = new TextEncoder().encode('{"a":1}');
  const read = () => {
    throw new TypeError('x is not a function');
  };
  const kinds = [{ name: 'bad', bytes, read }];
  const { findings } = await mutateDocuments({ mutations: 3, seed: 1, kinds });
  expect(findings.map(({ at }) => at)).toEqual([0, 1, 2]);
});
