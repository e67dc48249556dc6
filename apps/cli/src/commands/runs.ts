import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { InputError } from '@grok/core';
import { formatCsv, listColumns, runTable } from '@grok/report';
import { loadRuns } from '@grok/study';
import type { Command } from 'commander';
import { csvFlag, examples, type OutputFlags, outputFlags } from '../flags.js';
import { foldersIn } from '../folders.js';
import { EXIT, human, storeAt } from '../host.js';
import type { Io } from '../io.js';

const DEPTH = 3;

/** `grok runs`: what is in a folder of runs. */
export function runs(program: Command, io: Io, done: (code: number) => void): void {
  const command = outputFlags(program.command('runs').helpGroup('Look:'));
  examples(csvFlag(command, 'the runs'), 'runs', 'runs runs/study-small --csv > runs.csv')
    .description('list the runs in a folder')
    .argument('[dir]', 'where to look', 'runs')
    .action(async (folder: string, flags: OutputFlags, command: Command) => {
      const path = resolve(io.cwd, folder);
      if (!existsSync(path) && command.args.length > 0)
        throw new InputError(`runs: no such folder: ${folder}`);
      const unread: string[] = [];
      const folders = foldersIn(path, DEPTH, (message) => unread.push(message));
      const stores = folders.map((at) => storeAt(at, io));
      const { runs: read, damaged } = await loadRuns(stores);
      const found = read
        .map(({ store, record }) => ({ name: store.where, record }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const sink = human(io, flags);
      if (found.length + damaged.length === 0)
        sink.write(`no runs in ${folder}; start with: grok reproduce\n`);
      if (flags.csv === true) io.out.write(formatCsv(found.map(({ record }) => record)));
      else if (found.length > 0)
        sink.write(runTable(found, listColumns, { style: 'text', width: sink.width }));
      for (const message of unread) io.err.write(`grok: ${message}\n`);
      for (const { where, error } of damaged) sink.write(`${where}: damaged: ${error.message}\n`);
      if (flags.json === true) {
        const failures = damaged.map(({ where, error }) => ({ out: where, error: error.message }));
        const records = found.map(({ record }) => record);
        io.out.write(`${JSON.stringify({ runs: records, damaged: failures })}\n`);
      }
      done(EXIT.ok);
    });
}
