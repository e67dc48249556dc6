/**
 * SIGKILL at random times, then `resume`: the same parameters and metrics as an uninterrupted run.
 * Catches: files written in the wrong order, a partial line, a random stream with history.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const cli = fileURLToPath(new URL('../apps/cli/dist/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'grok-kill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  const done = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, done, record: () => JSON.parse(out.trim().split('\n').at(-1)!), err: () => err };
}
async function finished(args: readonly string[]) {
  const run = start(args);
  expect(await run.done, run.err()).toBe(0);
  return run.record() as { paramsSha256: string; seconds: number };
}
const readMetricsFile = (out: string) =>
  readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { time: _, ...row } = JSON.parse(line);
      return row;
    });

describe.each([
  { backend: 'onnx', kills: 20, epochs: 120 },
  { backend: 'wasm', kills: 5, epochs: 25 },
])('$backend', ({ backend, kills, epochs }) => {
  const options = [
    ...['--op', 'div', '--p', '23', '--dim', '32', '--depth', '2', '--dropout', '0.2'],
    ...['--batch', '64', '--epochs', String(epochs), '--seed', '7'],
    ...['--backend', backend, '--threads', '1', '--json', '--quiet'],
  ];

  test(`${kills} kills, each resumed to the same bits`, async () => {
    const whole = join(folder, `${backend}-whole`);
    const began = performance.now();
    const { paramsSha256 } = await finished(['train', ...options, '--out', whole]);
    const duration = performance.now() - began;
    let killed = 0;
    for (let attempt = 0; killed < kills && attempt < 4 * kills; attempt++) {
      const out = join(folder, `${backend}-${attempt}`);
      const run = start(['train', ...options, '--out', out]);
      while (!existsSync(join(out, 'config.json')) && run.child.exitCode === null) await wait(2);
      await wait(Math.random() * duration * 0.8);
      if (run.child.exitCode !== null) continue;
      run.child.kill('SIGKILL');
      await run.done;
      killed++;
      const resumed = await finished(['resume', out, '--json', '--quiet']);
      expect(resumed.paramsSha256).toBe(paramsSha256);
      expect(readMetricsFile(out)).toEqual(readMetricsFile(whole));
      rmSync(out, { recursive: true });
    }
    console.info(`${backend}: ${killed} kills within ${Math.round(duration)} ms each, all resumed`);
    expect(killed).toBe(kills);
  });
});
