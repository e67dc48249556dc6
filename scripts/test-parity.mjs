/** Prints how far every available backend is from the reference, one line per file and backend. */
import { parityLine, runParity } from '@grok/testing/parity';
import { backends, files, find, metrics, statistics } from '../tests/parity/at-hand.mjs';

const only = process.argv.slice(2);
const results = await runParity({
  backends: backends.filter(
    ({ name }) => only.length === 0 || only.some((o) => name.startsWith(o)),
  ),
  files: files(),
  find,
  metrics,
  statistics,
  onResult: (result) => console.log(parityLine(result)),
});
if (!process.env.GROK_NODE_GPU)
  console.log(
    'node-gpu: skipped, GROK_NODE_GPU names no folder that has @tensorflow/tfjs-node-gpu',
  );
const count = (status) => results.filter((result) => result.status === status).length;
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
process.exit(count('failed') === 0 && count('passed') > 0 ? 0 : 1);
