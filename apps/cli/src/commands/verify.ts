import { isComplete, joinedEvidence, readEvidence, verify } from '@grok/analysis';
import { formatCsv, verdictCounts, verdictTable } from '@grok/report';
import type { Command } from 'commander';
import { readClaims } from '../documents.js';
import { csvFlag, examples, type OutputFlags, outputFlags } from '../flags.js';
import { type OpenedFolder, openFolder } from '../folders.js';
import { EXIT, human } from '../host.js';
import type { Io } from '../io.js';

/** `grok verify`: what became of a paper's claims in folders of runs. */
export function verifyClaims(program: Command, io: Io, done: (code: number) => void): void {
  const command = outputFlags(program.command('verify').helpGroup('Look:'));
  examples(
    csvFlag(command, 'the claims'),
    'verify distilling-grokking runs/study-small',
    'verify my-claims.json runs/first runs/second --csv',
  )
    .description('check every claim of a paper; exit with 1 if a testable claim was not tested')
    .argument('<claims>', 'a claims file, or distilling-grokking for the paper’s own')
    .argument('<dirs...>', 'folders of studies, or of runs')
    .action(async (file: string, folders: readonly string[], flags: OutputFlags) => {
      const claims = readClaims(file, io.cwd);
      const opened: OpenedFolder[] = [];
      for (const folder of folders) opened.push(await openFolder(folder, io));
      const evidence = opened.map(({ root, runs, onSkipped }) =>
        readEvidence(claims, root, runs, onSkipped),
      );
      const verified = verify(claims, joinedEvidence(await Promise.all(evidence)));
      const leftOut = opened.flatMap((folder) => folder.leftOut);
      const complete = isComplete(verified);
      const sink = human(io, flags);
      if (flags.csv === true) io.out.write(formatCsv(verified));
      else sink.write(verdictTable(verified, { style: 'text', width: sink.width }));
      if (flags.json === true)
        io.out.write(
          `${JSON.stringify({ paper: claims.paper, complete, counts: verdictCounts(verified), claims: verified, leftOut })}\n`,
        );
      done(complete ? EXIT.ok : EXIT.failed);
    });
}
