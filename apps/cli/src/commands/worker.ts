import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { InputError, type Store } from '@grok/core';
import { fileStore } from '@grok/core/node';
import { jobServer } from '@grok/study';
import * as tf from '@grok/tfjs';
import type { Command } from 'commander';
import { findBackends } from '../backends.js';
import { examples, GROUP, pluginFlag } from '../flags.js';
import { createHost, EXIT } from '../host.js';
import type { Io } from '../io.js';
import { parseExecutor, parseInteger } from '../parse.js';
import { openRegistry, withExecutorPackage } from '../plugins.js';

interface WorkerFlags {
  readonly queue?: string;
  readonly executor?: string;
  readonly threads?: number;
  readonly backends?: string;
  readonly plugin: readonly string[];
}

/** `grok worker`: carries out runs of studies that others submitted. */
export function worker(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('worker').helpGroup('Train:');
  examples(
    pluginFlag(command),
    'worker --queue redis://127.0.0.1:6379',
    'worker --queue redis://127.0.0.1:6379 --threads 1 --backends wasm',
  )
    .description('carry out runs of studies from a queue, one at a time, until Ctrl-C')
    .optionsGroup(GROUP.compute)
    .option('--queue <url>', 'queue on Redis, such as redis://host:6379')
    .option('--executor <name[:key=value,…]>', 'the executor whose jobs to take, with its options')
    .option('--threads <n>', 'most threads of a run (default: all cores)', (text) =>
      parseInteger('--threads', text, 1),
    )
    .option('--backends <names>', 'backends to take runs of (default: those that start here)')
    .action(async (flags: WorkerFlags) => {
      const { use, options } = chooseExecutor(flags);
      const plugins = withExecutorPackage(use, flags.plugin);
      const registry = await openRegistry(plugins, io);
      const { serve } = registry.create('executor', use, options, { tf });
      if (serve === undefined)
        throw new InputError(
          `worker: executor "${use}" has no workers; use one that has, such as bullmq`,
        );
      const open = (root: string, folder: string): Store => fileStore(join(root, folder));
      const carryOut = jobServer({
        ...createHost(registry, io),
        open,
        capabilities: {
          threads: flags.threads ?? availableParallelism(),
          backends: flags.backends?.split(',') ?? (await findBackends(registry)),
        },
      });
      const notice = (message: string): void => void io.err.write(`grok: ${message}\n`);
      await serve({ carryOut, open, signal: io.signal, notice });
      done(EXIT.ok);
    });
}

function chooseExecutor({ queue, executor }: WorkerFlags): ReturnType<typeof parseExecutor> {
  if (queue !== undefined && executor !== undefined)
    throw new InputError('worker: give --queue or --executor, not both');
  if (queue !== undefined) return { use: 'bullmq', options: { url: queue } };
  if (executor !== undefined) return parseExecutor(executor);
  throw new InputError('worker: needs a queue; give --queue redis://host:6379');
}
