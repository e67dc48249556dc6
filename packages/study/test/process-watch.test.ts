/** A worker process that outlives its study: a responsive one saves and exits, one in an endless loop is ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';

const built = new URL('../dist/process.js', import.meta.url);

/** Starts a process that starts a worker and dies; returns the output of both. */
async function outlive(work: string): Promise<string> {
  const node = (code: string) => ['--input-type=module', '-e', code];
  const worker = `import { endWithStudy } from ${JSON.stringify(built.href)};
    endWithStudy(500); console.log('begun'); ${work}`;
  const study = `import { spawn } from 'node:child_process';
    const worker = spawn(process.execPath, ${JSON.stringify(node(worker))},
      { detached: true, stdio: ['ignore', 'pipe', 'inherit', 1] });
    worker.stdout.on('data', (text) => { process.stdout.write(text); process.kill(process.pid, 'SIGKILL'); });`;
  // The worker inherits the pipe as descriptor 3, so it closes when both are gone.
  const child = spawn(process.execPath, node(study), { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  await once(child, 'close');
  return out;
}

test.skipIf(!existsSync(built))(
  'a busy one is ended (catches: a core kept busy for ever) (skipped without a build)',
  async () => {
    const busy = `for (const end = Date.now() + 30_000; Date.now() < end; );
      (await import('node:fs')).writeSync(3, 'came to its end');`;
    expect(await outlive(busy)).toBe('begun\n');
  },
);

test.skipIf(!existsSync(built))(
  'one that answers has the time it takes to save (skipped without a build)',
  async () => {
    const save = `setTimeout(async () => (await import('node:fs')).writeSync(3, 'saved'), 1500);`;
    expect(await outlive(save)).toBe('begun\nsaved');
  },
);
