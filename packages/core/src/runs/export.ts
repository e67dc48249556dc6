/** A run's model for exporters, and an exporter whose faults are told by its name. */
import * as tf from '@grok/tfjs';
import { InputError } from '../contracts/errors.js';
import type { ExportedModel, Exporter, Store } from '../contracts/types.js';
import { attributeError } from '../plugins/attribution.js';
import { formatSubject } from '../plugins/define.js';
import type { Registry } from '../plugins/registry.js';
import { withoutAuxiliary } from '../tensors/params.js';
import { createModel, data } from './compose.js';
import { newestCheckpoint, readCheckpoint, readConfig } from './run-folder.js';

/**
 * The model of the run in a store, for any rows, with its parameters at the checkpoint of a step, or at the
 * last that can be read. @throws InputError when there is no such checkpoint.
 */
export async function readModel(
  store: Store,
  registry: Registry,
  step?: number,
): Promise<Omit<ExportedModel, 'run'>> {
  const { experiment } = await readConfig(store);
  const { task } = data(experiment, registry);
  const { shape, dtype } = task.inputs;
  // Without the rows' data: what knows the task's rows alone would refuse others.
  const model = createModel(experiment, registry, {
    vocabulary: task.vocabulary,
    inputs: { shape, dtype },
  });
  const checkpoint =
    step === undefined
      ? (await newestCheckpoint(store)).checkpoint
      : await readCheckpoint(store, step);
  if (checkpoint === undefined)
    throw new InputError(`${store.where}: has no readable checkpoint; resume the run`);
  const { epoch, step: at } = checkpoint.position;
  return { task, model, params: withoutAuxiliary(checkpoint.params), epoch, step: at };
}

/** An exporter by name. @throws InputError on an unknown name or bad options, and on files that it names badly. */
export function createExporter(registry: Registry, use: string, options: unknown): Exporter {
  const exporter = registry.create('exporter', use, options, { tf });
  const subject = formatSubject({ kind: 'exporter', name: use });
  return async (source) => {
    const files = await exporter(source).catch((error: unknown) => {
      throw attributeError(subject, error);
    });
    for (const [name, content] of Object.entries(files)) {
      if (name === '' || name.split(/[\\/]/).some((part) => part === '' || part === '..'))
        throw new InputError(`${subject}: file names must be relative paths, got "${name}"`);
      if (typeof content !== 'string' && !(content instanceof Uint8Array))
        throw new InputError(`${subject}: "${name}" must be text or bytes, got ${typeof content}`);
    }
    return files;
  };
}
