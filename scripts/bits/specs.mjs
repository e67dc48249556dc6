/**
 * The runs of `scripts/bits.mjs`: small specifications that together cover every task, strategy,
 * model and optimizer option, and every condition of a run that affects its numbers.
 */
const transformer = (options) => ({ use: 'transformer', options });
const adamw = (options) => ({ use: 'adamw', options });
const task = (use, p) => ({ use, options: { p } });
const hard = (weight, options) => ({ use: 'hard', weight, ...(options ? { options } : {}) });

const paper = {
  task: task('div', 11),
  model: transformer({ dim: 16, depth: 2, heads: 1, dropout: 0.2 }),
  optimizer: adamw({ learningRate: 0.001, weightDecay: 1, warmup: 10 }),
  batch: 32,
  epochs: 12,
  seed: 42,
};
const plain = {
  ...paper,
  model: transformer({ dim: 16, depth: 2, heads: 1 }),
  optimizer: adamw({ learningRate: 0.003 }),
};

/** Experiments by name, one run each. */
export const experiments = {
  // Like the paper's teacher: dropout, warm-up, an incomplete last batch.
  paper,
  add: {
    ...plain,
    task: task('add', 7),
    model: transformer({ dim: 8, depth: 1, heads: 1 }),
    batch: 8,
  },
  'sub-relu': {
    ...plain,
    task: task('sub', 11),
    model: transformer({
      ...{ dim: 16, depth: 1, heads: 2, mlp: 'relu', dMlp: 24 },
      ...{ positions: 'learned', norm: 'layer' },
    }),
  },
  'mul-gelu': {
    ...plain,
    task: task('mul', 13),
    model: transformer({
      ...{ dim: 16, depth: 2, heads: 2, mlp: 'gelu', mlpRatio: 2 },
      ...{ positions: 'none', norm: 'none', pool: 'mean', dropout: 0.1 },
    }),
  },
  'not-causal': {
    ...plain,
    model: transformer({
      ...{ dim: 16, depth: 2, heads: 2, causal: false, pool: 'mean' },
      ...{ ropeBase: 1e4, eps: 1e-5, dropout: 0.1 },
    }),
  },
  // Without the exact shortcuts, which change how numbers are computed.
  'no-shortcuts': {
    ...paper,
    model: transformer({
      ...{ dim: 16, depth: 2, heads: 1, dropout: 0.2 },
      algebra: {
        vocabularyTable: false,
        lastPosition: false,
        sharedPrefixes: false,
        jointOV: false,
      },
    }),
  },
  precise: { ...paper, objective: [{ use: 'hard', options: { precise: true } }] },
  optimizer: {
    ...plain,
    optimizer: adamw({
      ...{ learningRate: 0.01, b1: 0.8, b2: 0.95, eps: 1e-6 },
      ...{ weightDecay: 0.1, warmup: 3 },
    }),
  },
  // Shuffled labels, another split seed, a training fraction, and rows every second epoch.
  conditions: {
    ...plain,
    split: { use: 'numpy', options: { trainFraction: 0.3 } },
    splitSeed: 7,
    shuffleLabels: true,
    evalEvery: 2,
  },
  // Stops by itself, and has probes.
  stop: {
    ...plain,
    optimizer: adamw({ learningRate: 0.01, weightDecay: 0.1 }),
    epochs: 60,
    stop: { trainAccuracy: 0.5 },
    probes: [{ use: 'weight-norms' }, { use: 'gradients' }],
  },
  // All rows in one batch, with sizes at which two threads share the work.
  'full-batch': {
    ...plain,
    task: task('add', 23),
    model: transformer({ dim: 32, depth: 2, heads: 4, dropout: 0.1 }),
    batch: 512,
    epochs: 6,
  },
};

/** Plans by name: teachers, then students of each strategy. */
export const plans = {
  students: {
    name: 'students',
    summary: 'Every strategy alone and all together, with layer maps and unequal heads.',
    shared: { task: task('div', 11), batch: 32, epochs: 6 },
    teacher: { model: paper.model, optimizer: paper.optimizer },
    teachers: { deep: { model: { options: { depth: 3, heads: 2 } } } },
    student: {
      model: transformer({ dim: 8, depth: 2, heads: 1, dropout: 0.2 }),
      optimizer: adamw({ learningRate: 0.003, weightDecay: 1 }),
    },
    arms: {
      none: { objective: [{ use: 'hard' }] },
      logit: {
        objective: [
          hard(0.5, { precise: true }),
          { use: 'logit', weight: 0.5, options: { temperature: 4 } },
        ],
      },
      attention: { objective: [hard(0.5), { use: 'attention' }] },
      feature: { objective: [hard(0.5), { use: 'feature' }] },
      'feature-up': {
        objective: [
          hard(0.5),
          { use: 'feature', options: { direction: 'student-to-teacher', reduce: 'sum' } },
        ],
      },
      all: {
        objective: [
          hard(0.3),
          { use: 'logit', weight: 0.7 },
          { use: 'attention', weight: 0.5 },
          { use: 'feature', weight: 0.5 },
        ],
      },
      // Three blocks with two heads to two blocks with one.
      maps: {
        teachers: { teacher: 'deep' },
        objective: [
          hard(0.5),
          { use: 'attention', options: { layers: { 0: 0, 2: 1 }, reduce: 'sum' } },
          { use: 'feature', options: { layers: { 0: 0, 1: 1, 3: 2 } } },
        ],
      },
      'two-teachers': {
        teachers: { teacher: 'teacher', second: 'deep' },
        objective: [
          hard(0.4),
          { use: 'logit', weight: 0.6 },
          {
            use: 'attention',
            weight: 0.2,
            options: { teacher: 'second', layers: { 1: 0, 2: 1 } },
          },
        ],
      },
    },
    seeds: [1],
  },
  // A teacher and two students whose width and decay come from an override.
  trio: {
    name: 'trio',
    summary: 'A teacher and two students under an override.',
    shared: { task: task('mul', 7), batch: 16, epochs: 6 },
    teacher: {
      model: transformer({ dim: 16, depth: 1, heads: 1 }),
      optimizer: adamw({ learningRate: 0.003, weightDecay: 1 }),
    },
    student: {
      model: transformer({ dim: 8, depth: 1, heads: 1 }),
      optimizer: adamw({ learningRate: 0.003, weightDecay: 1 }),
    },
    arms: {
      none: { objective: [{ use: 'hard' }] },
      logit: { objective: [hard(0.5), { use: 'logit', weight: 0.5 }] },
    },
    overrides: {
      'less-decay': { student: { optimizer: { options: { weightDecay: 0.1 } } } },
    },
    seeds: [3],
  },
};

/** Backend, threads, and the names to run: all, or those that differ between threads or backends. */
export const machines = [
  { backend: 'wasm', threads: 1 },
  { backend: 'onnx', threads: 1 },
  { backend: 'wasm', threads: 2, names: ['full-batch'] },
  {
    backend: 'onnx',
    threads: 2,
    names: ['paper', 'full-batch', 'precise', 'no-shortcuts', 'trio'],
  },
];
