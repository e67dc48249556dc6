/** The command line's surroundings in a real process: streams, and Ctrl-C, which stops a run gently once. */
import { EXIT } from './host.js';
import type { Io } from './io.js';

/** Streams and environment of this process; the signal aborts at the first Ctrl-C, the second exits at once. */
export function processIo(): Io {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write('\ngrok: saving and stopping; Ctrl-C again stops at once\n');
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // `grok runs | head`: the reader has gone, which is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.ok);
  });
  return {
    out: process.stdout,
    err: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    script: process.argv[1]!,
    signal: stop.signal,
  };
}
