import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Experiment, evaluateRun, InputError } from '@grok/core';
import { importedExperiment, importRun, listParams, own, readDocument } from '@grok/core/internal';
import { mapParams, PARAM_MAP, PARAM_MAPS, type ParamMap, readTensors } from '@grok/export';
import { identifyRun } from '@grok/study';
import type { Command } from 'commander';
import { examples, GROUP, PAPER, type RunFlags, runFlags } from '../flags.js';
import { EXIT, freshFolder, human, locked } from '../host.js';
import type { Io } from '../io.js';
import { openRegistry } from '../plugins.js';
import { finish, listPlugins, readingExecution, trainDraft } from '../spec.js';

interface Flags extends RunFlags {
  readonly map?: string;
}

/** `grok import`: a model that was trained elsewhere becomes a run that can teach. */
export function importModel(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('import').helpGroup('Train:').optionsGroup(GROUP.files);
  command
    .description('make a run of a safetensors or ONNX file that another program trained')
    .argument('<file>', 'the file; the other flags say which model, task and split it is of')
    .option('--map <file>', 'names of its tensors: a JSON file, or transformerlens');
  examples(
    runFlags(command, PAPER),
    'import teacher.safetensors --dim 64 --seed 7 --out runs/teacher',
    'import model.safetensors --map transformerlens --spec runs/teacher.json',
  ).action(async (file: string, flags: Flags) => {
    const tensors = readTensors(readBytes(file, io), file);
    const map = readMap(flags.map, io);
    const draft = trainDraft(flags, io);
    const registry = await openRegistry(listPlugins(draft, flags), io);
    const { experiment, execution = {} } = finish(draft, flags, registry);
    const params = mapParams(tensors, map, listParams(experiment, registry));
    const out = flags.out ?? execution.out ?? nameFolder(importedExperiment(experiment, params));
    await locked(freshFolder(out, 'config.json', io), io, async ({ store }) => {
      const versions = { node: process.versions.node };
      const manifest = await importRun(experiment, params, {
        registry,
        store,
        from: file,
        versions,
      });
      const on = 'validation';
      const score = await evaluateRun({ registry, store }, on, readingExecution({}, flags, io));
      const { run, parameters, paramsSha256 } = manifest;
      const { accuracy, loss } = score;
      human(io, flags).write(
        `${store.where}: ${parameters.toLocaleString('en-US')} parameters, validation accuracy ${(100 * accuracy).toFixed(2)} %, loss ${loss.toFixed(6)}\n`,
      );
      const result = { run, parameters, paramsSha256, accuracy, loss, out: store.where };
      if (flags.json === true) io.out.write(`${JSON.stringify(result)}\n`);
    });
    done(EXIT.ok);
  });
}

const nameFolder = (experiment: Experiment): string => `runs/${identifyRun(experiment).folder}`;

function readBytes(file: string, { cwd }: Io): Uint8Array {
  const path = resolve(cwd, file);
  if (!existsSync(path)) throw new InputError(`import: no such file: ${file}`);
  if (!statSync(path).isFile())
    throw new InputError(`import: ${file} is a folder; give a safetensors or ONNX file`);
  return readFileSync(path);
}

/** A map by name, or from a file. */
function readMap(map: string | undefined, { cwd }: Io): ParamMap {
  if (map === undefined) return {};
  const known = own(PARAM_MAPS, map);
  if (known !== undefined) return known;
  const path = resolve(cwd, map);
  if (!existsSync(path))
    throw new InputError(
      `--map: no such file: ${map}; give a JSON file, or one of ${Object.keys(PARAM_MAPS).join(', ')}`,
    );
  return readDocument(readFileSync(path), map, PARAM_MAP);
}
