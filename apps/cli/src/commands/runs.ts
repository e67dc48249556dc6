import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  InputError,
  isInputError,
  isRunError,
  readManifest,
  readMetrics,
  type Store,
} from '@grok/core';
import { listColumns, type NamedRecord, runTable } from '@grok/report';
import { recordOf } from '@grok/study';
import type { Command } from 'commander';
import { type OutputFlags, outputFlags } from '../flags.js';
import { foldersIn } from '../folders.js';
import { EXIT, human, storeAt } from '../host.js';
import type { Io } from '../io.js';

const DEPTH = 3;

/** `grok runs`: what is in a folder of runs. */
export function runs(program: Command, io: Io, done: (code: number) => void): void {
  outputFlags(program.command('runs'))
    .description('list the runs in a folder')
    .argument('[dir]', 'where to look', 'runs')
    .action(async (folder: string, flags: OutputFlags, command: Command) => {
      const path = resolve(io.cwd, folder);
      if (!existsSync(path) && command.args.length > 0)
        throw new InputError(`runs: there is no folder ${folder}`);
      const stores = foldersIn(path, DEPTH).map((at) => storeAt(at, io));
      const { found, damaged } = await readRecords(stores);
      const sink = human(io, flags);
      if (found.length + damaged.length === 0)
        sink.write(`no runs in ${folder}; begin with: grok reproduce\n`);
      if (found.length > 0) sink.write(runTable(found, listColumns, 'text'));
      for (const { out, error } of damaged) sink.write(`${out}: damaged: ${error}\n`);
      if (flags.json === true)
        io.out.write(`${JSON.stringify({ runs: found.map(({ record }) => record), damaged })}\n`);
      done(EXIT.ok);
    });
}

/** The records of the runs among some folders, and what cannot be read. */
async function readRecords(stores: readonly Store[]): Promise<{
  found: NamedRecord[];
  damaged: { readonly out: string; readonly error: string }[];
}> {
  const found: NamedRecord[] = [];
  const damaged: { readonly out: string; readonly error: string }[] = [];
  for (const store of stores)
    try {
      const manifest = await readManifest(store);
      if (manifest === undefined) continue;
      const record = recordOf(manifest, await readMetrics(store, manifest), store.where);
      found.push({ name: store.where, record });
    } catch (error) {
      if (!isInputError(error) && !isRunError(error)) throw error;
      damaged.push({ out: store.where, error: error.message });
    }
  return { found, damaged };
}
