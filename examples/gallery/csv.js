// A tracker that writes a table with one line per epoch, for spreadsheets and pandas. A tracker
// that sends to a server would return a promise of the answer from `on`, which no run waits for,
// and close its session in `finish`. Node's modules are loaded where they are used, so that a page
// can load the rest of the gallery.

const HEADER = 'epoch,step,train loss,train accuracy,validation loss,validation accuracy\n';

export const csv = {
  kind: 'tracker',
  name: 'csv',
  summary: 'A line an epoch in a table (CSV), by default in the run’s folder.',
  options: {
    type: 'object',
    properties: { file: { type: 'string', minLength: 1, default: 'epochs.csv' } },
    additionalProperties: false,
  },
  create:
    ({ file }) =>
    async ({ where }) => {
      const fs = await import('node:fs');
      const { dirname, resolve } = await import('node:path');
      const path = resolve(where, file);
      const linesUpTo = (last) => {
        const lines = fs.existsSync(path) ? fs.readFileSync(path, 'utf8').match(/^\d.*\n/gm) : [];
        return (lines ?? []).filter((line) => Number(line.split(',')[0]) <= last);
      };
      return {
        on(event) {
          if (event.type === 'start') {
            // A resumed run repeats the events after its last checkpoint.
            const kept = linesUpTo(event.from.epoch);
            fs.mkdirSync(dirname(path), { recursive: true });
            fs.writeFileSync(path, HEADER + kept.join(''));
          }
          if (event.type === 'epoch') {
            const { epoch, step, train, validation } = event.row;
            const scores = [train.loss, train.accuracy, validation.loss, validation.accuracy];
            fs.appendFileSync(path, `${[epoch, step, ...scores].join(',')}\n`);
          }
        },
        finish() {},
      };
    },
};
