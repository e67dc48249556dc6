import { formatCsv, layOut } from '@grok/report';
import type { Command } from 'commander';
import { csvFlag, examples, type OutputFlags, outputFlags } from '../flags.js';
import { openRunFolder } from '../folders.js';
import { EXIT, type Human, human } from '../host.js';
import { diffRuns, type RunDiff } from '../inspect.js';
import type { Io } from '../io.js';

const PARTS = ['experiment', 'execution', 'results'] as const;

/** `grok diff`: what two runs have in common, and what not. */
export function diff(program: Command, io: Io, done: (code: number) => void): void {
  const command = csvFlag(outputFlags(program.command('diff').helpGroup('Look:')), 'what differs');
  examples(command, 'diff runs/a runs/b', 'diff runs/a runs/b --csv')
    .description('how two runs differ: experiment, execution, metrics, hashes')
    .argument('<a>', 'a run’s folder')
    .argument('<b>', 'another’s')
    .action(async (a: string, b: string, flags: OutputFlags) => {
      const runs = [await openRunFolder(a, io), await openRunFolder(b, io)] as const;
      const found = diffRuns(...runs);
      const sink = human(io, flags);
      if (flags.csv === true)
        io.out.write(
          formatCsv(PARTS.flatMap((part) => found[part].map((one) => ({ part, ...one })))),
        );
      else tell(sink, runs[0].store.where, runs[1].store.where, found);
      if (flags.json === true) io.out.write(`${JSON.stringify(found)}\n`);
      done(EXIT.ok);
    });
}

function tell(sink: Human, a: string, b: string, found: RunDiff): void {
  const { sameRun, sameSplit, sameParameters, sameUntilEpoch } = found;
  const equal = (same: boolean | null): string =>
    same === null ? 'not known yet' : same ? 'the same' : 'different';
  sink.write(`a: ${a}\nb: ${b}\n\n`);
  sink.write(`experiment  ${equal(sameRun)}\n`);
  sink.write(`split       ${equal(sameSplit)}\n`);
  sink.write(
    `parameters  ${equal(sameParameters)}${sameParameters === true ? ' to the bit' : ''}\n`,
  );
  sink.write(`metrics     the same up to epoch ${sameUntilEpoch}\n`);
  for (const part of PARTS) {
    if (found[part].length === 0) continue;
    const rows = found[part].map((one) => [one.what, one.a ?? '–', one.b ?? '–']);
    const layout = { style: 'text', align: 'left', width: sink.width, wrap: ['a', 'b'] } as const;
    sink.write(`\n${layOut([part, 'a', 'b'], rows, layout)}`);
  }
}
