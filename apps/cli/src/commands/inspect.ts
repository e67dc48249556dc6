import { formatCsv, layOut } from '@grok/report';
import type { BegunRun } from '@grok/study';
import type { Command } from 'commander';
import { csvFlag, examples, type OutputFlags, outputFlags, pluginFlag } from '../flags.js';
import { openRunFolder } from '../folders.js';
import { EXIT, type Human, human } from '../host.js';
import { type InspectedRun, inspectRun } from '../inspect.js';
import type { Io } from '../io.js';
import { openRegistry, withRecordedPlugins } from '../plugins.js';
import { share } from '../progress-lines.js';
import { sparkline } from '../sparkline.js';

/** `grok inspect`: what a run's folder holds. */
export function inspect(program: Command, io: Io, done: (code: number) => void): void {
  const command = outputFlags(pluginFlag(program.command('inspect').helpGroup('Look:')));
  examples(
    csvFlag(command, 'the parameters'),
    'inspect runs/teacher',
    'inspect runs/teacher --json | tail -1 | jq .sites',
  )
    .description('a run’s model: parameters, sites, shapes, sizes, hashes, files')
    .argument('<dir>', 'the run’s folder')
    .action(async (folder: string, flags: OutputFlags & { plugin: readonly string[] }) => {
      const run = await openRunFolder(folder, io);
      const registry = await openRegistry(flags.plugin, io);
      const found = await withRecordedPlugins([folder], flags, registry, io, () =>
        inspectRun(run, registry),
      );
      const sink = human(io, flags);
      for (const { file, reason } of found.damaged)
        io.err.write(`grok: ${file} is skipped: ${reason}\n`);
      if (flags.csv === true) io.out.write(formatCsv(found.parameters));
      else tell(sink, run, found);
      if (flags.json === true) io.out.write(`${JSON.stringify(found)}\n`);
      done(EXIT.ok);
    });
}

function tell(sink: Human, run: BegunRun, found: InspectedRun): void {
  const grid = (title: string, head: readonly string[], rows: readonly string[][]): unknown =>
    sink.write(
      `\n${title}\n\n${layOut(head, rows, { style: 'text', width: sink.width, drop: ['axes'] })}`,
    );
  sink.write(`${run.store.where}: ${describeState(run)}\n`);
  sink.write(`run         ${found.run}\n`);
  sink.write(`split       ${found.manifest.splitHash}\n`);
  sink.write(`parameters  ${describeParameters(found)}\n`);
  const { use, options } = found.experiment.model;
  sink.write(`model       ${use} ${JSON.stringify(options ?? {})}\n`);
  sink.write(`computed    ${found.manifest.device}\n`);
  if (found.parameters.length > 0)
    grid(
      `Parameters: ${count(found.manifest.parameters)} numbers`,
      ['name', 'shape', 'size'],
      found.parameters.map(({ name, shape, size }) => [name, shapeText(shape), count(size)]),
    );
  grid(
    'Sites, without the batch',
    ['name', 'shape', 'size', 'axes'],
    found.sites.map(({ name, shape, size, axes }) => [
      name,
      shapeText(shape),
      count(size),
      axes.join(' '),
    ]),
  );
  grid(
    'Files',
    ['name', 'bytes', 'sha256'],
    found.files.map(({ name, bytes, sha256 }) => [name, count(bytes), sha256.slice(0, 16)]),
  );
}

function describeState({ manifest, history, record }: BegunRun): string {
  const curve = sparkline(history.map(({ validation }) => validation.accuracy));
  if (record.finalValAccuracy === null) return `${manifest.status}, no epoch yet`;
  const reached = record.epochsTo['0.99'];
  return `${manifest.status} at epoch ${record.epochs}  ${curve} ${share(record.finalValAccuracy)}, 99 % ${reached == null ? 'never' : `at ${reached}`}`;
}

function describeParameters({ checkpoint }: InspectedRun): string {
  if (checkpoint === null) return 'no checkpoint yet';
  const { step, paramsSha256, isRecorded } = checkpoint;
  const note = { true: '', false: ', not the one in manifest.json', null: '' }[`${isRecorded}`];
  return `${paramsSha256} (step ${step}${note})`;
}

const count = (n: number): string => n.toLocaleString('en-US');
const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
