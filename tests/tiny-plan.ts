/** The smallest plan that trains; its runs take a moment. */
export const tinyPlan = {
  name: 'tiny',
  summary: 'For tests.',
  shared: {
    task: { use: 'div', options: { p: 5 } },
    optimizer: { use: 'adamw' },
    batch: 8,
    epochs: 2,
  },
  teacher: { model: { use: 'transformer', options: { dim: 8, depth: 1 } } },
  student: { model: { use: 'transformer', options: { dim: 4, depth: 1 } } },
  arms: { none: {} },
  seeds: [0],
};
