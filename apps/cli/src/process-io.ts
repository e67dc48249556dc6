/** The command line's surroundings in a real process: streams, and what stops a run gently: Ctrl-C, or nobody left to read. */
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { BEAT, BEAT_MS, HEARD } from './beats.js';
import { EXIT } from './host.js';
import type { Io } from './io.js';

/**
 * Streams and environment of this process; the signal aborts at the first Ctrl-C, the second exits at
 * once. It aborts too where output cannot be written: what only prints has nothing to stop, and ends.
 */
export function processIo(): Io {
  const stop = new AbortController();
  let interrupted = false;
  let tell: ((word: string) => void) | undefined;
  const onSignal = (): void => {
    if (interrupted) process.exit(EXIT.interrupted);
    interrupted = true; // not `aborted`: Ctrl-C ends the reader of a pipeline too, perhaps first
    tell?.(HEARD);
    process.stderr.write('\ngrok: saving and stopping; press Ctrl-C again to stop immediately\n');
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  let reported = false;
  for (const name of ['stdout', 'stderr'] as const)
    process[name].on('error', ({ code, message }: NodeJS.ErrnoException) => {
      stop.abort();
      // `grok runs | head`: the reader has gone, which is no error of ours.
      if (code === 'EPIPE' || reported) return;
      reported = true;
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
    watch(delay) {
      if (delay === 0) tell ??= startWatchdog();
      else setTimeout(() => (tell ??= startWatchdog()), delay).unref();
    },
  };
}

/** Starts the process that ends this one where it does not answer; it ends with this one. Gives what tells it. */
function startWatchdog(): (word: string) => void {
  const script = fileURLToPath(new URL('./watchdog.js', import.meta.url));
  const child = spawn(process.execPath, [script, String(process.pid)], {
    stdio: ['pipe', 'ignore', 'inherit'],
    windowsHide: true,
  });
  const beats = setInterval(() => child.stdin.write(BEAT), BEAT_MS).unref();
  // Without it all goes on as before.
  const giveUp = (): void => clearInterval(beats);
  child.on('error', giveUp);
  child.stdin.on('error', giveUp);
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return (word) => child.stdin.write(word);
}
