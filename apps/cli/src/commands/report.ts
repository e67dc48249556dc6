import { readEvidence, verify } from '@grok/analysis';
import type { Command } from 'commander';
import { readClaims } from '../documents.js';
import { type ComputeFlags, computeFlags, examples, GROUP, outputFlags } from '../flags.js';
import { openFolder } from '../folders.js';
import { checkWritable, EXIT, human } from '../host.js';
import type { Io } from '../io.js';
import { openRegistry } from '../plugins.js';
import { computePublished, writeReport } from '../report.js';

interface Flags extends ComputeFlags {
  readonly out?: string;
  readonly claims?: string;
  readonly analyze: boolean;
}

/** `grok report`: figures, tables and statistics of a study in one page. */
export function report(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('report').helpGroup('Look:').optionsGroup(GROUP.look);
  command
    .description('write report.html, report.md, figures and LaTeX tables of a study')
    .argument('<dir>', 'the study’s folder, or a run’s')
    .option('--claims <file>', 'also write verdicts on the claims in this file')
    .option('--no-analyze', 'use existing analyses only; compute nothing')
    .optionsGroup(GROUP.files)
    .option('--out <dir>', 'where to write (default: the same folder)');
  examples(
    outputFlags(computeFlags(command)),
    'report runs/study-small',
    'report runs/study-small --claims distilling-grokking --out page',
  ).action(async (folder: string, flags: Flags) => {
    const opened = await openFolder(folder, io);
    const out = flags.out ?? opened.root.where;
    checkWritable(out, flags.out === undefined ? out : `--out ${out}`, io);
    const claims = flags.claims === undefined ? undefined : readClaims(flags.claims, io.cwd);
    const registry = await openRegistry(flags.plugin, io);
    if (flags.analyze) await computePublished(opened, registry, flags, io);
    const words = [folder, ...(flags.claims === undefined ? [] : ['--claims', flags.claims])];
    const { root, runs, onSkipped } = opened;
    const verified =
      claims === undefined
        ? undefined
        : verify(claims, await readEvidence(claims, root, runs, onSkipped));
    const files = await writeReport(opened, out, `grok report ${words.join(' ')}`, verified, io);
    if (flags.quiet !== true) human(io, flags).write(`${files.join('\n')}\n`);
    if (flags.json === true)
      io.out.write(`${JSON.stringify({ out, files, leftOut: opened.leftOut })}\n`);
    done(EXIT.ok);
  });
}
