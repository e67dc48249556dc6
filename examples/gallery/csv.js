// A tracker: a table with a line an epoch, for spreadsheets and pandas. One that sends to a server would
// return from `on` a promise of the answer, which no run waits for, and close its session in `finish`.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

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
    ({ where }) => {
      const path = resolve(where, file);
      return {
        on(event) {
          if (event.type === 'start') {
            // A run that goes on tells again what came after its last checkpoint.
            mkdirSync(dirname(path), { recursive: true });
            const kept = existsSync(path) ? linesUpTo(event.from.epoch, path) : [];
            writeFileSync(path, HEADER + kept.join(''));
          }
          if (event.type === 'epoch') {
            const { epoch, step, train, validation } = event.row;
            const scores = [train.loss, train.accuracy, validation.loss, validation.accuracy];
            appendFileSync(path, `${[epoch, step, ...scores].join(',')}\n`);
          }
        },
        finish() {},
      };
    },
};

function linesUpTo(epoch, path) {
  const lines = readFileSync(path, 'utf8').match(/^\d.*\n/gm) ?? [];
  return lines.filter((line) => Number(line.split(',')[0]) <= epoch);
}
