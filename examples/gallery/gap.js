// A probe of the gap between training and validation accuracy, which opens when a model memorizes
// and closes when it groks, and of the epoch at which it was widest.
export const gap = {
  kind: 'probe',
  name: 'gap',
  summary: 'Training minus validation accuracy, and where it was widest.',
  options: {
    type: 'object',
    properties: { every: { type: 'integer', minimum: 1, default: 1 } },
    additionalProperties: false,
  },
  create: ({ every }) => ({
    needs: {},
    when: { every },
    on({ history }) {
      const gaps = history.map(({ epoch, train, validation }) => ({
        epoch,
        gap: train.accuracy - validation.accuracy,
      }));
      const widest = gaps.reduce((most, at) => (at.gap > most.gap ? at : most));
      return { now: gaps[gaps.length - 1].gap, widest: widest.gap, at: widest.epoch };
    },
  }),
};
