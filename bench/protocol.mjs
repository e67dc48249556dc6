/**
 * The protocol between the harness and a contestant, a child process in any language: one JSON line
 * when it is ready, then one for every line `go`; it exits when its standard input closes.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * @typedef {Record<string, unknown> & { threads: number }} Ready what a contestant says of itself
 * @typedef {Record<string, number>} Lap what it measured in one `go`, times in milliseconds
 * @typedef {{ name: string, ready: Ready, go(): Promise<Lap>, stop(): Promise<void> }} Contestant
 */

/**
 * Starts a contestant and waits until it is ready.
 * @param {string} name
 * @param {readonly string[]} command program and arguments
 * @returns {Promise<Contestant>}
 * @throws when the process cannot start or exits before it is ready, with the end of its output.
 */
export async function start(name, [program, ...args]) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint = (complaint + text).slice(-2000);
  });
  /** @type {((error: Error | undefined, line?: string) => void)[]} */
  const waiting = [];
  /** @type {Error | undefined} */
  let over;
  const end = (why) => {
    over ??= new Error(`${name}: ${why}${complaint && `:\n${complaint.trim()}`}`);
    for (const settle of waiting.splice(0)) settle(over);
  };
  // A write to a process that just died needs no error: its exit is reported below.
  child.stdin.on('error', () => {});
  child.on('error', (error) => end(`could not start ${program} (${error.message})`));
  const closed = new Promise((resolve) =>
    child.on('close', (code, signal) => {
      end(`ended early with ${signal ?? `exit code ${code}`}`);
      resolve(undefined);
    }),
  );
  createInterface({ input: child.stdout }).on('line', (line) => {
    // Libraries print to standard output too; only objects are answers.
    if (line.startsWith('{')) waiting.shift()?.(undefined, line);
  });
  const answer = () =>
    new Promise((resolve, reject) => {
      if (over !== undefined) reject(over);
      else waiting.push((error, line) => (error ? reject(error) : resolve(JSON.parse(line))));
    });

  const { ready: _, ...ready } = await answer();
  return {
    name,
    ready,
    go() {
      const lap = answer();
      child.stdin.write('go\n');
      return lap;
    },
    async stop() {
      child.stdin.end();
      await closed;
    },
  };
}

/**
 * The contestant's side in Node: reports `ready`, then runs `go` once for every line `go`.
 * @param {Ready} ready
 * @param {() => Lap | Promise<Lap>} go
 */
export async function serve(ready, go) {
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  say({ ready: true, ...ready });
  for await (const line of createInterface({ input: process.stdin }))
    if (line.trim() === 'go') say(await go());
  // A native library's threads would keep the process alive.
  process.exit(0);
}
