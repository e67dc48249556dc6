/** The conformance suite for probes: results are JSON and reproducible, and nothing is changed. */
import { type ComponentDefinition, type Probe, rng, type Site, type Snapshot } from '@grok/core';
import * as tf from '@grok/tfjs';
import { describe, expect, it } from 'vitest';
import { f32, i32 } from './arrays.js';
import { fakeModel, fakeValue } from './models.js';
import { type OptionsGiven, optionsSuite, subjectMaker } from './options-suite.js';

/** Options of `probeSuite`. */
export interface ProbeSuiteOptions extends OptionsGiven {
  /** The snapshot to pass; default: a fake model on addition modulo 7. */
  readonly snapshot?: (needs: Probe['needs']) => Snapshot;
}

/** A snapshot of a fake run: a model of two blocks on addition modulo 7, with the requested sites. */
export function fakeSnapshot({
  sites = [],
  rows: which = 49,
  gradients: { batches, byTerm = false } = { batches: 0 },
}: Probe['needs'] = {}): Snapshot {
  const p = 7;
  const count = typeof which === 'number' ? Math.min(which, p * p) : p * p;
  const rows = Int32Array.from({ length: count }, (_, i) => i);
  const model = fakeModel({ vocabulary: p + 2 });
  const matrix = (label: string, ...shape: [number, number]) =>
    f32(
      shape,
      rng(6)
        .split(label)
        .normal(shape[0] * shape[1]),
    );
  const makeGradients = (term: string) =>
    Array.from({ length: batches }, (_, i) => ({
      'embed.W_E': matrix(`${term} dE${i}`, p + 2, 8),
      'unembed.W_U': matrix(`${term} dU${i}`, 8, p + 2),
    }));
  const all = Array.from({ length: p * p }, (_, i) => [Math.floor(i / p), i % p] as const);
  return {
    epoch: 3,
    step: 30,
    params: { 'embed.W_E': matrix('E', p + 2, 8), 'unembed.W_U': matrix('U', 8, p + 2) },
    ...(batches > 0
      ? {
          gradients: {
            hardLoss: makeGradients('hard'),
            ...(byTerm
              ? { total: makeGradients('hard'), terms: { hard: makeGradients('hard') } }
              : {}),
          },
        }
      : {}),
    sites: Object.fromEntries(
      sites
        .flatMap((site) => matching(model, site))
        .map((site: Site) => [site, fakeValue(model, site, count, 'probe')]),
    ),
    rows,
    task: {
      vocabulary: p + 2,
      inputs: i32(
        [p * p, 4],
        all.flatMap(([a, b]) => [a, p, b, p + 1]),
      ),
      labels: Int32Array.from(all, ([a, b]) => (a + b) % p),
      show: (row) => `${Math.floor(row / p)} + ${row % p} (mod ${p})`,
      modular: { p, op: 'add' },
    },
    model,
    history: [1, 2, 3].map((epoch) => ({
      epoch,
      step: 10 * epoch,
      train: { loss: 1 / epoch, accuracy: epoch / 3 },
      terms: { hard: 1 / epoch },
      validation: { loss: 2 / epoch, accuracy: epoch / 4 },
      time: { seconds: 1 },
    })),
  };
}

/** Registers the conformance tests of a probe, or of a bare one (without tests of options). */
export function probeSuite(
  name: string,
  subject: ComponentDefinition<'probe'> | Probe,
  { snapshot = fakeSnapshot, ...given }: ProbeSuiteOptions = {},
): void {
  const { offered, make } = subjectMaker<'probe'>(subject, given.options);

  describe(`probe ${name}`, () => {
    optionsSuite('probe', offered, given);

    it('has a valid time to run (catches: a probe that never does)', () => {
      const { when } = make();
      const meant =
        when === 'end' ||
        ('every' in when && Number.isInteger(when.every) && when.every > 0) ||
        ('crossing' in when && when.crossing > 0 && when.crossing <= 1);
      expect(
        meant,
        `when is "end", { every: n } or { crossing: accuracy in (0, 1] }, got ${JSON.stringify(when)}`,
      ).toBe(true);
    });
    it('requests valid rows (catches: -1 rows, a set by another name)', () => {
      const { rows = 'validation' } = make().needs;
      const meant =
        ['train', 'validation', 'all'].includes(String(rows)) ||
        (Number.isInteger(rows) && Number(rows) > 0);
      expect(meant, `rows are "train", "validation", "all" or a count, got ${rows}`).toBe(true);
    });
    it('returns JSON (catches: NaN and typed arrays, which a file turns into null and objects)', async () => {
      const probe = make();
      const result = await probe.on(snapshot(probe.needs));
      expect(result, 'a result, not undefined').toBeDefined();
      expect(JSON.parse(JSON.stringify(result)), 'read back from a file it is the same').toEqual(
        result,
      );
    });
    it('is pure (catches: state kept between calls, a snapshot changed for the next probe)', async () => {
      const probe = make();
      const shown = snapshot(probe.needs);
      const before = JSON.stringify(shown, plain);
      const first = await probe.on(shown);
      expect(JSON.stringify(shown, plain), 'the snapshot is as it was').toBe(before);
      expect(await probe.on(snapshot(probe.needs)), 'a second look sees the same').toEqual(first);
      expect(
        await make().on(snapshot(probe.needs)),
        'a probe that is made anew must see the same: no state, no Math.random',
      ).toEqual(first);
    });
    it('leaves no tensor behind (catches: memory that grows with every call)', async () => {
      const probe = make();
      const before = tf.engine().state.numTensors;
      await probe.on(snapshot(probe.needs));
      expect(
        tf.engine().state.numTensors,
        'a look must leave no tensor behind: dispose of them, or use tf.tidy',
      ).toBe(before);
    });
  });
}

/** A site, or those that a `*` matches. */
function matching({ sites }: Snapshot['model'], wanted: Site): readonly Site[] {
  if (!wanted.includes('*')) return [wanted];
  const [head = '', tail = ''] = wanted.split('*');
  return sites
    .map(({ name }) => name)
    .filter(
      (name) => name.startsWith(head) && name.endsWith(tail) && name.length > wanted.length - 1,
    );
}

/** Converts typed arrays to lists, so that every entry is compared. */
const plain = (_: string, value: unknown): unknown =>
  value instanceof Float32Array || value instanceof Int32Array ? Array.from(value) : value;
