/** A process that takes the lease of each folder it is given, answers, and releases it on request. */
import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [core = ''] = process.argv.slice(2);
const { fileStore } = await import(core);
/** @type {{ release(): Promise<void> } | undefined} */
let held;

/** @param {string} folder */
async function take(folder) {
  const lease = await fileStore(folder).lease('work', 60);
  if (!lease.granted) return 'refused';
  held = lease;
  mkdirSync(inside(folder));
  const others = readdirSync(folder).filter((name) => /^inside-/.test(name) && runs(name));
  return others.length === 1 ? 'granted' : `failed: inside are ${others.join(', ')}`;
}

const inside = (/** @type {string} */ folder) => join(folder, `inside-${process.pid}`);

/** False for what a process left when it was killed inside. @param {string} name */
function runs(name) {
  try {
    return process.kill(Number(name.replace('inside-', '')), 0);
  } catch {
    return false;
  }
}

/** @param {string} folder */
async function release(folder) {
  if (held !== undefined) {
    rmdirSync(inside(folder));
    await held.release();
  }
  held = undefined;
  return 'released';
}

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const [word, folder = ''] = line.split('\t');
  try {
    process.stdout.write(`${word === 'take' ? await take(folder) : await release(folder)}\n`);
  } catch (error) {
    process.stdout.write(`failed: ${error instanceof Error ? error.message : error}\n`);
  }
}
