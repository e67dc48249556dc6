/** The command line's surroundings in a real process: streams, and what stops a run gently: Ctrl-C, or nobody left to read. */
import { realpathSync } from 'node:fs';
import { EXIT } from './host.js';
import type { Io } from './io.js';

/**
 * Streams and environment of this process; the signal aborts at the first Ctrl-C, the second exits at
 * once. It aborts too where output cannot be written: what only prints has nothing to stop, and ends.
 */
export function processIo(): Io {
  const stop = new AbortController();
  let interrupted = false;
  const onSignal = (): void => {
    if (interrupted) process.exit(EXIT.interrupted);
    interrupted = true; // not `aborted`: Ctrl-C ends the reader of a pipeline too, perhaps first
    process.stderr.write('\ngrok: saving and stopping; Ctrl-C again stops at once\n');
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  let told = false;
  for (const name of ['stdout', 'stderr'] as const)
    process[name].on('error', ({ code, message }: NodeJS.ErrnoException) => {
      stop.abort();
      // `grok runs | head`: the reader has gone, which is no error of ours.
      if (code === 'EPIPE' || told) return;
      told = true;
      process.on('exit', () => {
        process.exitCode = EXIT.failed;
      });
      process.stderr.write(`grok: cannot write to ${name}: ${message}\n`);
    });
  return {
    out: process.stdout,
    err: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    // As it is, not by a link that may lead elsewhere when a process is started later.
    script: realpathSync(process.argv[1]!),
    signal: stop.signal,
  };
}
