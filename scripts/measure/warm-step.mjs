/**
 * Trains a small student from its teacher on the backend given on the command line, and prints as
 * JSON the source files with a function that ran between two steps of a later epoch (V8's precise
 * coverage).
 */
import { Session } from 'node:inspector';
import { register } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { root } from '../release/packages.mjs';

register('./typescript-hooks.mjs', import.meta.url);
const [backend = 'onnx'] = process.argv.slice(2);
const packages = ['data', 'model', 'optim', 'distill-logit', `backend-${backend}`];
const { createRegistry, memoryStore, startRun } = await import('@grok/core');
const plugins = await Promise.all(packages.map((name) => import(`@grok/${name}`)));
const registry = createRegistry(plugins.map((plugin) => plugin.default));
const execution = { backend, threads: 1 };
const teacher = {
  task: { use: 'div', options: { p: 13 } },
  model: { use: 'transformer', options: { dim: 16, heads: 2, dropout: 0.1 } },
  optimizer: { use: 'adamw' },
  ...{ batch: 16, epochs: 3, seed: 1 },
};

const store = memoryStore();
const taught = await startRun({ experiment: teacher, execution }, { registry, store });
const { run, paramsSha256 } = taught.manifest;
const student = {
  ...teacher,
  teachers: { teacher: { run, paramsSha256 } },
  objective: [
    { use: 'hard', weight: 0.5 },
    { use: 'logit', weight: 0.5 },
  ],
};

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
const steps = [];
await startRun(
  { experiment: student, execution },
  {
    registry,
    store: memoryStore(),
    teacherStores: { teacher: store },
    // Between two step events of one epoch lies one step.
    listeners: [({ type, epoch }) => type === 'step' && steps.push({ epoch, files: takeFiles() })],
  },
);
const second = steps.filter(({ epoch }) => epoch === 2);
console.log(JSON.stringify(second[2].files));
process.exit(); // a backend's threads may still be running

/** The files with functions that ran since the last call. @returns {string[]} */
function takeFiles() {
  const files = [];
  session.post('Profiler.takePreciseCoverage', (error, coverage) => {
    if (error) throw error;
    for (const { url, functions } of coverage.result) {
      const inSource = url.startsWith(pathToFileURL(root).href) && /\/src\/.*\.ts$/.test(url);
      if (inSource && functions.some(({ ranges: [range] }) => range.count > 0))
        files.push(relative(root, fileURLToPath(url)).replaceAll('\\', '/'));
    }
  });
  return files.sort();
}
