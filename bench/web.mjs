/**
 * Times a student's step in Chromium: `node bench/web.mjs [--dim 64] [--dropout 0] [--threads 1]
 * [--laps 5]`. Prints medians, and ratios within a lap; an epoch includes evaluation, in the page
 * and in Node. Stock TensorFlow.js uses half the cores.
 */
import { parseArgs } from 'node:util';
import { baseline } from './contestants.mjs';
import { start } from './protocol.mjs';
import { median, ratio } from './race.mjs';
import { openPage } from './web-server.mjs';

const { values } = parseArgs({
  options: {
    dim: { type: 'string', default: '64' },
    dropout: { type: 'string', default: '0' },
    threads: { type: 'string', default: '1' },
    laps: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const how = Object.fromEntries(
  ['dim', 'dropout', 'threads'].map((key) => [key, Number(values[key])]),
);
const node = await start(
  'Node',
  baseline({ dim: how.dim, dropout: how.dropout }, how.threads).command,
);
const { page, version, close } = await openPage('', 'openRace');
try {
  const devices = await page.evaluate((given) => globalThis.openRace(given), how);
  const laps = [];
  for (let i = 0; i < Number(values.laps); i++) {
    const { epochMs, evalMs } = await node.go();
    const inPage = await page.evaluate(() => globalThis.lap());
    laps.push({ ...inPage, 'Node epoch': epochMs + evalMs });
  }
  const of = (name) => laps.map((lap) => lap[name]);
  if (values.json) console.log(JSON.stringify({ how, devices, laps }));
  else {
    console.log([...devices, `Chromium ${version}`, node.ready.version].join('; '));
    for (const name of Object.keys(laps[0]))
      console.log(`${name.padEnd(12)} ${median(of(name)).toFixed(1).padStart(8)} ms`);
    for (const [over, under] of [
      ['stock', 'onnx'],
      ['onnx', 'products'],
      ['onnx epoch', 'Node epoch'],
      ['stock', 'wasm'],
    ])
      console.log(`${over} / ${under}`.padEnd(24), ratio(of(over), of(under)).toFixed(2));
  }
} finally {
  await node.stop();
  await close();
}
