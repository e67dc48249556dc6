/** `grok analyze` on small runs: files, moments, replayed steps, the published layout. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bench, TINY_PLAN } from './helpers.js';

interface Analysis {
  moment: string;
  step: number;
  replayedFrom: number;
  probes: Record<string, Record<string, unknown>>;
  against: Record<'states' | 'lastPosition', Record<string, { cka: Record<string, unknown> }>> & {
    run: string;
  };
}
/** A model with sites of its own: one hidden layer over concatenated embeddings. */
const FOREIGN = `
const mlp = {
  kind: 'model',
  name: 'mlp',
  summary: 'One hidden layer.',
  options: { type: 'object', properties: {}, additionalProperties: false },
  create: (_, { tf }) => ({ vocabulary, inputs }) => {
    const dim = 16;
    const pos = inputs.shape[1];
    const draw = (rng, shape) => ({
      shape,
      dtype: 'float32',
      data: rng.normal(shape[0] * shape[1]).map((x) => 0.3 * x),
    });
    return {
      shape: { layers: 1, width: dim, heads: 1 },
      keepProbability: 1,
      dropoutMaskShapes: () => ({}),
      sites: () => [{ name: 'hidden', shape: [dim] }, { name: 'logits', shape: [vocabulary] }],
      init: (rng) => ({
        E: draw(rng.split('E'), [vocabulary, dim]),
        W1: draw(rng.split('W1'), [pos * dim, dim]),
        W2: draw(rng.split('W2'), [dim, vocabulary]),
      }),
      apply(w, x, { sites, taps = {} }) {
        const e = tf.reshape(tf.gather(w('E'), tf.reshape(x, [-1])), [x.shape[0], pos * dim]);
        const tap = (name, value) => (taps[name] ? taps[name](value) : value);
        const hidden = tap('hidden', tf.relu(tf.matMul(e, w('W1'))));
        const all = { hidden, logits: tap('logits', tf.matMul(hidden, w('W2'))) };
        return Object.fromEntries([...sites].map((site) => [site, all[site]]));
      },
    };
  },
};
export default { name: 'mlp-plugin', version: '1.0.0', core: '*', components: [mlp] };
`;
let world: Bench;
let folders: Record<'teacher' | 'logit' | 'feature', string> & Record<string, string>;
const read = <T>(...path: string[]): T =>
  JSON.parse(readFileSync(join(world.dir, ...path), 'utf8'));
const keys = (value: object | undefined): string[] => Object.keys(value ?? {});

beforeAll(async () => {
  world = bench({ GROK_BACKEND: 'wasm' });
  const { code, out } = await world.grok(
    ...['reproduce', '--out', 'study', '--quiet', '--json', '--seed', '0', ...TINY_PLAN],
  );
  expect(code).toBe(0);
  const { teacher, students } = JSON.parse(`${out.trim().split('\n').at(-1)}`);
  folders = {
    ...{ teacher: teacher.out, logit: students.logit.out, feature: students.feature.out },
    ...Object.fromEntries(
      Object.entries<{ out: string }>(students).map(([name, { out: folder }]) => [name, folder]),
    ),
  };
}, 120_000);
afterAll(() => world.remove());

describe('analyze', () => {
  it('reads a student beside its own teacher, all six states on validation rows', async () => {
    const { code, out, err, json } = await world.grok('analyze', folders.logit, '--json', '--wide');
    expect([code, err]).toEqual([0, expect.stringContaining('never reached 99 %')]);
    expect(out.trim().split('\n')).toHaveLength(1);
    // Catches: what a page says is printed, hidden in a file.
    expect(err).toMatch(/key frequencies .*, neurons explained \d+\.\d % \d+\.\d %\n/);
    const [analysis] = json<{ analyses: Analysis[] }>().analyses;
    expect(analysis).toMatchObject({ moment: 'end', replayedFrom: analysis?.step });
    expect(keys(analysis?.against.states)).toEqual([
      ...['hook_embed', 'blocks.0.hook_resid_mid', 'blocks.0.hook_resid_post'],
      ...['blocks.1.hook_resid_mid', 'blocks.1.hook_resid_post', 'ln_final.hook_out'],
    ]);
    // Catches: an estimator left out, a null of another shape.
    expect(keys(analysis?.against.states['ln_final.hook_out']?.cka)).toEqual([
      ...['biased', 'debiased', 'interval', 'null'],
    ]);
    // Catches: the position that is read, hidden among those that are not.
    const last = analysis?.against.lastPosition;
    expect(keys(last)).toEqual(keys(analysis?.against.states));
    expect(last?.['ln_final.hook_out']?.cka).not.toEqual(
      analysis?.against.states['ln_final.hook_out']?.cka,
    );
    expect(keys(analysis?.probes)).toEqual(
      expect.arrayContaining(['effective-ranks', 'attention-entropy', 'neurons']),
    );
    const stored = read<Analysis>(folders.logit, 'analysis/analysis-end.json');
    expect(stored).toEqual(analysis);
  });

  it('writes the published layout: its keys, its two layers, its choices', async () => {
    const { code } = await world.grok('analyze', folders.logit, '--as-published', '--at', 'last');
    expect(code).toBe(0);
    const file = read<Record<string, Record<string, object>>>(
      ...[folders.logit, 'analysis/mechanistic_analysis_results.json'],
    );
    expect(keys(file)).toEqual([
      ...['weight_statistics', 'cka_scores', 'effective_ranks', 'attention_entropies'],
    ]);
    expect(keys(file.weight_statistics)).toEqual(['teacher', 'student_logit']);
    expect(keys(file.weight_statistics?.teacher)).toEqual([
      ...['L0', 'L1', 'L2', 'total_params', 'sparsity'],
    ]);
    for (const part of ['cka_scores', 'effective_ranks', 'attention_entropies'])
      expect(keys(file[part])).toEqual(['layer_0', 'layer_1']);
    expect(keys(file.cka_scores?.layer_0)).toEqual(['logit']);
    expect(keys(file.effective_ranks?.layer_0)).toEqual(['teacher', 'logit']);
    await world.grok('analyze', folders.logit, '--at', 'last');
    const whole = read<typeof file>(
      ...[folders.logit, 'analysis/mechanistic_analysis_results.json'],
    );
    expect(keys(whole.cka_scores)).toHaveLength(6);
    expect(keys(whole.attention_entropies)).toHaveLength(2);
  });

  it('replays a step that has no checkpoint, with one probe asked for', async () => {
    const { code, out, json } = await world.grok(
      ...['analyze', folders.feature, '--at', '1', '--probe', 'weight-norms', '--json'],
    );
    expect(code).toBe(0);
    expect(out).not.toContain('never');
    const [analysis] = json<{ analyses: Analysis[] }>().analyses;
    expect(analysis).toMatchObject({ moment: 'step-1', step: 1, replayedFrom: 0 });
    expect(keys(analysis?.probes)).toEqual(['weight-norms']);
  });

  it('gives gradients by term of the loss at any step (catches: only while the run trains)', async () => {
    const { code, json } = await world.grok(
      ...['analyze', folders.feature, '--at', '1', '--json'],
      ...['--probe', 'gradients:byTerm=true,batches=2'],
    );
    expect(code).toBe(0);
    const [analysis] = json<{ analyses: Analysis[] }>().analyses;
    expect(analysis?.probes.gradients).toMatchObject({
      batches: 2,
      terms: {
        total: { norms: { all: expect.any(Number) } },
        feature: { noise: { all: { signalToNoise: expect.any(Number) } } },
      },
      cosines: { names: ['total', 'hard', 'feature'] },
    });
  });

  it('goes through a study, every run against the teacher of its seed', async () => {
    const { code, json } = await world.grok('analyze', 'study', '--at', 'last', '--json');
    expect([code, json()]).toEqual([0, { runs: 5, analyses: 5, leftOut: [], out: 'study' }]);
    const teacher = read<{ run: string }>(folders.teacher, 'config.json').run;
    for (const name of ['none', 'logit', 'attention', 'feature'])
      expect(read<Analysis>(folders[name]!, 'analysis/analysis-end.json').against.run).toBe(
        teacher,
      );
    const file = read<Record<string, Record<string, object>>>(
      ...['study', 'analysis/seed-0/mechanistic_analysis_results.json'],
    );
    expect(keys(file.weight_statistics)).toEqual([
      ...['teacher', 'student_none', 'student_logit', 'student_attention', 'student_feature'],
    ]);
    // Catches: a study that is analyzed anew from the start each time that runs were added.
    rmSync(join(world.dir, folders.logit, 'analysis/analysis-end.json'));
    const again = await world.grok('analyze', 'study', '--at', 'last', '--json', '--missing');
    expect(again.json()).toMatchObject({ runs: 5, analyses: 1 });
  });

  it('leaves out what does not fit the task, with a notice, and measures the rest', async () => {
    const small = ['--dim', '8', '--depth', '1', '--batch', '2', '--epochs', '2', '--quiet'];
    await world.grok('train', '--op', 'mul', '--p', '12', ...small, '--out', 'twelve');
    const twelve = await world.grok('analyze', 'twelve', '--json');
    expect(twelve.code).toBe(0);
    const reason =
      'key frequencies are skipped: Fourier measures: "mul" needs a prime modulus, got 12';
    expect(twelve.err).toContain(`grok: ${reason}\n`);
    const twelveJson = twelve.json<{
      leftOut: string[];
      analyses: Analysis[];
      published: object;
    }>();
    expect(twelveJson.leftOut).toEqual([reason]);
    expect(keys(twelveJson.analyses[0]?.probes)).toEqual(
      expect.arrayContaining(['weight-norms', 'effective-ranks', 'gradients']),
    );
    expect(keys(twelveJson.published)).toContain('effective_ranks');
    // Two training rows are too few for the batches of the gradients' noise.
    await world.grok('train', '--op', 'mul', '--p', '2', ...small, '--out', 'two');
    const two = await world.grok('analyze', 'two');
    expect([two.code, two.err]).toEqual([
      0,
      expect.stringMatching(/^grok: probe "gradients" is skipped: [^\n]+\n$/),
    ]);
    const withGradients = await world.grok('analyze', 'two', '--probe', 'gradients');
    expect([withGradients.code, withGradients.err]).toEqual([
      2,
      expect.stringContaining('use fewer batches'),
    ]);
  });

  it('measures what a model of a plugin has', async () => {
    writeFileSync(join(world.dir, 'mlp.mjs'), FOREIGN);
    const spec = {
      experiment: {
        ...{ task: { use: 'div', options: { p: 7 } }, model: { use: 'mlp' }, batch: 8 },
        ...{ optimizer: { use: 'adamw' }, epochs: 2, seed: 7 },
      },
    };
    writeFileSync(join(world.dir, 'mlp.json'), JSON.stringify(spec));
    const plugin = ['--plugin', './mlp.mjs'];
    const trained = await world.grok(
      ...['train', '--spec', 'mlp.json', '--out', 'mlp', '--quiet', ...plugin],
    );
    expect(trained).toMatchObject({ code: 0 });
    const { code, json } = await world.grok('analyze', 'mlp', '--json', ...plugin);
    expect(code).toBe(0);
    const { analyses, leftOut } = json<{ analyses: Analysis[]; leftOut: string[] }>();
    expect(leftOut).toEqual([]);
    expect(analyses[0]?.probes['effective-ranks']?.sites).toHaveProperty('hidden');
    expect(keys(analyses[0]?.probes)).not.toContain('attention-entropy');
    expect(keys(analyses[0]?.probes)).toContain('fourier');
  });

  it.each([
    ['a moment', ['study', '--at', 'soon'], /--at: must be crossing/],
    ['a step', ['RUN', '--at', '99'], /step 99 is not a step of the run; give one from 0 to 2/],
    ['a probe', ['RUN', '--at', 'last', '--probe', 'cia'], /unknown probe "cia"/],
    ['a folder', ['nowhere'], /no such folder: nowhere/],
    [
      'a study against one',
      ['study', '--against', 'study'],
      /--against: works only for a single run/,
    ],
  ])('explains %s that is not there', async (_, argv, says) => {
    const words = argv.map((word) => (word === 'RUN' ? folders.logit : word));
    const { code, err } = await world.grok('analyze', ...words);
    expect([code, err]).toEqual([2, expect.stringMatching(says)]);
  });
});
