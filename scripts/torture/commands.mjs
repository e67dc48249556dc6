/** Damaged files read by the command line: whole processes, on a sample of what `documents.mjs` does in one. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { damage } from './documents.mjs';
import { plan } from './kinds.mjs';
import { atOnce, cli, faultOfProcess, runScript } from './processes.mjs';
import { random } from './random.mjs';

/** Commands that read a study folder, and commands that read a run folder. */
const OF_STUDY = [
  ...[['study', 'status'], ['study', 'table'], ['report'], ['analyze'], ['verify'], ['runs']],
  ['study', 'resume'],
];
const OF_RUN = [['resume'], ['eval'], ['analyze'], ['runs']];

/**
 * @param {{ commands: number, seed: number }} options
 * @returns {Promise<{ commands: number, codes: Record<string, number>, findings: readonly string[] }>}
 */
export async function damageForCommands({ commands, seed }) {
  const home = mkdtempSync(join(tmpdir(), 'grok-commands-'));
  try {
    const study = join(home, 'study');
    writeFileSync(join(home, 'plan.json'), JSON.stringify(plan));
    const run = await runScript(cli, [
      ...['study', 'run', join(home, 'plan.json'), '--backend', 'wasm'],
      ...['--executor', 'inline', '--quiet', '--out', study],
    ]);
    if (run.code !== 0) throw new Error(`the study failed: ${run.err}`);
    const draw = random(seed);
    /** @type {Record<string, number>} */
    const codes = {};
    const jobs = Array.from({ length: commands }, (_, i) => async () => {
      const copy = join(home, String(i));
      cpSync(study, copy, { recursive: true });
      const files = readdirSync(copy, { recursive: true })
        .map(String)
        .filter((path) => /\.(json|jsonl|safetensors)$/.test(path));
      const file = draw.pick([...files, 'grok.config.json']);
      const path = join(copy, file);
      const bytes = files.includes(file)
        ? Uint8Array.from(readFileSync(path))
        : new TextEncoder().encode('{"format":"grok config 1","plugins":["./x.mjs"]}');
      writeFileSync(path, damage(bytes, file.endsWith('.safetensors'), draw));
      const run = /^[^/\\]+[/\\]/.exec(file)?.[0];
      const words = draw.pick(run === undefined ? OF_STUDY : [...OF_STUDY, ...OF_RUN]);
      const at = OF_RUN.includes(words) && run !== undefined ? join(copy, run) : copy;
      const ended = await runScript(cli, [...words, at], { cwd: copy });
      codes[String(ended.code)] = (codes[String(ended.code)] ?? 0) + 1;
      rmSync(copy, { recursive: true, force: true });
      const fault = faultOfProcess(ended);
      return fault && `seed ${seed}, ${i}: ${words.join(' ')} with a damaged ${file}: ${fault}`;
    });
    const findings = (await atOnce(jobs)).flatMap((found) => found ?? []);
    return { commands, codes, findings };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
