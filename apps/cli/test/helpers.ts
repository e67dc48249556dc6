import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from '../src/main.js';

/** The root of the checkout. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What a command did. */
interface Done {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The last line of stdout as JSON. */
  json<T = Record<string, never>>(): T;
}
/** A folder of its own to work in, and the command line in it. */
export interface Bench {
  readonly dir: string;
  grok(...argv: string[]): Promise<Done>;
  /** As `grok`, with Ctrl-C when `when` is true of what was written so far. */
  stopped(when: (written: string) => boolean, ...argv: string[]): Promise<Done>;
  files(): readonly string[];
  remove(): void;
}

/** A bench in a new temporary folder. */
export function bench(env: Record<string, string> = {}): Bench {
  const dir = mkdtempSync(join(tmpdir(), 'grok-cli-'));
  const run = async (argv: string[], when?: (written: string) => boolean): Promise<Done> => {
    const stop = new AbortController();
    const written = { out: '', err: '' };
    const sink = (name: 'out' | 'err') => ({
      write(text: string) {
        written[name] += text;
        if (when?.(written.out + written.err)) stop.abort();
      },
    });
    const code = await main(argv, {
      out: sink('out'),
      err: sink('err'),
      env,
      cwd: dir,
      signal: stop.signal,
    });
    return {
      code,
      ...written,
      json: () => JSON.parse(written.out.trim().split('\n').at(-1)!),
    };
  };
  return {
    dir,
    grok: (...argv) => run(argv),
    stopped: (when, ...argv) => run(argv, when),
    files: () => readdirSync(dir, { recursive: true }).map(String).sort(),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Reads the config.json of a run on a bench. */
export function configIn(world: Bench): (folder: string) => {
  experiment: Record<string, unknown>;
  execution: Record<string, unknown>;
} {
  return (folder) => JSON.parse(readFileSync(join(world.dir, folder, 'config.json'), 'utf8'));
}

/** A run that takes a moment. */
export const TINY: readonly string[] = ['--p', '7', '--dim', '8', '--epochs', '2', '--quiet'];
/** A plan whose five runs take a moment. */
export const TINY_PLAN: readonly string[] = [
  'shared.task.options.p=7',
  'shared.epochs=2',
  'teacher.model.options.dim=8',
  'student.model.options.dim=4',
].flatMap((text) => ['--set', text]);

/** A plan of a teacher, a control and a student whose insides are small enough to be measured in a moment. */
export const atlasPlan = {
  name: 'small',
  summary: 'For tests.',
  shared: {
    task: { use: 'div', options: { p: 7 } },
    optimizer: { use: 'adamw' },
    ...{ batch: 8, epochs: 2 },
  },
  teacher: { model: { use: 'transformer', options: { dim: 8, depth: 1, dMlp: 6 } } },
  student: { model: { use: 'transformer', options: { dim: 4, depth: 1, dMlp: 4 } } },
  arms: { none: {}, logit: { objective: [{ use: 'hard' }, { use: 'logit' }] } },
  seeds: [0],
};
