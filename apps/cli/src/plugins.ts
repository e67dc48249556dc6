/** What the command line comes with, and what it is told to load. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import nodeGpu from '@grok/backend-node-gpu';
import onnx from '@grok/backend-onnx';
import wasm from '@grok/backend-wasm';
import { createRegistry, InputError, isInputError, type Plugin, type Registry } from '@grok/core';
import { type DocumentKind, type Listing, readDocument, type Shape, z } from '@grok/core/internal';
import { loadPlugin, stores } from '@grok/core/node';
import data from '@grok/data';
import attention from '@grok/distill-attention';
import feature from '@grok/distill-feature';
import logit from '@grok/distill-logit';
import exporters from '@grok/export';
import metrics from '@grok/metrics';
import model from '@grok/model';
import optim from '@grok/optim';
import { executors } from '@grok/study/process';
import { type RunBeginning, readBeginnings } from './folders.js';
import type { Io } from './io.js';

const builtIn: readonly Plugin[] = [
  data,
  model,
  optim,
  logit,
  attention,
  feature,
  metrics,
  exporters,
  onnx,
  wasm,
  nodeGpu,
  executors,
  stores,
];

/** Executors that are packages of their own, which are loaded when they are asked for. */
const EXECUTOR_PACKAGES: ReadonlyMap<string, string> = new Map([
  ['bullmq', '@grok/executor-bullmq'],
  ['slurm', '@grok/executor-slurm'],
]);

/** Plugins to load, with the package of an executor that is not built in. */
export function withExecutorPackage(use: string, entries: readonly string[]): readonly string[] {
  const own = EXECUTOR_PACKAGES.get(use);
  return own === undefined ? entries : [...entries, own];
}

/** All that is built in. */
export const listBuiltIn = (): readonly Listing[] => createRegistry(builtIn).list();

/**
 * A registry of all that is built in, of what `grok.config.json` of the folder names, and of the named
 * plugins: packages, folders or files, `ENTRY#cosine=other` under other names.
 * @throws InputError when one is not found, is no plugin, or takes a name that is taken.
 */
export async function openRegistry(entries: readonly string[], io: Io): Promise<Registry> {
  const { cwd } = io;
  const named = new Set([...configuredPlugins(io), ...entries]);
  // What is built in comes back to its event loop; a short run is over before a process is started beside it.
  io.watch?.(named.size > 0 ? 0 : 1000);
  const registry = createRegistry(builtIn);
  const seen = new Set<string>();
  for (const entry of named) {
    const { path, alias } = parseAlias(entry, cwd);
    const { plugin, file } = await loadPlugin(path, cwd);
    const key = `${file} ${JSON.stringify(alias)}`;
    if (seen.has(key)) continue; // named twice, such as in the configuration and by a flag
    seen.add(key);
    try {
      registry.add(plugin, { alias });
    } catch (error) {
      if (!isInputError(error) || error.code !== 'name-taken') throw error;
      const { message, code, data: taken } = error;
      throw new InputError(`${message}: --plugin ${path}#${taken.name}=another-name`, {
        ...{ cause: error, code, data: taken },
      });
    }
  }
  return registry;
}

/** Splits `ENTRY#old=new,old=new`; a path that is there is one, whatever it has in it. */
export function parseAlias(
  entry: string,
  cwd: string = process.cwd(),
): { path: string; alias: Record<string, string> } {
  if (existsSync(resolve(cwd, entry))) return { path: entry, alias: {} };
  const [, path, pairs] = /^(.+)#([\w.-]+=[\w.-]+(?:,[\w.-]+=[\w.-]+)*)$/.exec(entry) ?? [];
  if (path === undefined || pairs === undefined) return { path: entry, alias: {} };
  return {
    path,
    alias: Object.fromEntries(pairs.split(',').map((pair) => pair.split('=') as [string, string])),
  };
}

const CONFIG = 'grok.config.json';
/** What a folder's configuration may say. */
interface Config {
  readonly $schema?: string;
  /** May be left out; a later format would have another number. */
  readonly format?: 'grok config 1';
  /** Packages, folders or files to load. */
  readonly plugins?: readonly string[];
}
const CONFIG_FILE: DocumentKind<Config> = {
  schema: z.strictObject({
    $schema: z.string().exactOptional(),
    format: z.literal('grok config 1').exactOptional(),
    plugins: z.array(z.string()).exactOptional(),
  } satisfies Shape<Config>),
  remedy: 'it must look like { "plugins": ["grok-rkd"] }',
};

/** Files that only a run or a study writes. */
const WRITTEN = ['metrics.jsonl', 'events.jsonl', 'study.json', 'runs.json', 'journal.jsonl'];

/** The file of a run or a study that lies in a folder, if it is one's. */
function findWritten(folder: string): string | undefined {
  const config = join(folder, 'config.json');
  if (existsSync(config) && readFileSync(config, 'utf8').includes('"grok run '))
    return 'config.json';
  return WRITTEN.find((name) => existsSync(join(folder, name)));
}

/**
 * Entries that the folder's own configuration names; none of a folder above, and none of the folder of a
 * run or a study, which may come from anywhere. @throws InputError when it is no such file.
 */
function configuredPlugins({ cwd, err }: Pick<Io, 'cwd' | 'err'>): readonly string[] {
  const file = join(cwd, CONFIG);
  if (!existsSync(file)) return [];
  const beside = findWritten(cwd);
  if (beside !== undefined) {
    err.write(
      `grok: ${CONFIG} is not loaded: it is next to ${beside} of a run or a study; load its plugins with --plugin\n`,
    );
    return [];
  }
  return readDocument(readFileSync(file), CONFIG, CONFIG_FILE).plugins ?? [];
}

/** What a package's manifest says of it; its code is not loaded. */
export interface FoundPlugin {
  readonly name: string;
  readonly version: string;
  readonly description: string;
}

/** Installed packages with the keyword `grok-plugin` that are not built in, directly in a `node_modules` folder. @throws InputError when no such folder. */
export function searchPlugins(folder: string, cwd: string): readonly FoundPlugin[] {
  const root = resolve(cwd, folder);
  if (!existsSync(root) || !statSync(root).isDirectory())
    throw new InputError(`--search ${folder}: no such folder; give a node_modules folder`);
  const below = (at: string): string[] =>
    readdirSync(at)
      .filter((name) => !name.startsWith('.'))
      .map((name) => join(at, name));
  const folders = below(root).flatMap((at) => (basename(at).startsWith('@') ? below(at) : [at]));
  return folders
    .flatMap((at): FoundPlugin[] => {
      try {
        const manifest = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
        const { name, version, description = '' } = manifest;
        const known = builtIn.some((plugin) => plugin.name === name);
        if (known || !manifest.keywords?.includes('grok-plugin')) return [];
        return [{ name, version, description }];
      } catch {
        return []; // no package, or none of ours to mend
      }
    })
    .sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * Does something with runs that began with plugins. Their folders may come from anywhere, so the plugins
 * that they name are not loaded; where a name is missed, the error says which to name.
 */
export async function withRecordedPlugins<T>(
  folders: readonly string[],
  { plugin: given = [] }: { readonly plugin?: readonly string[] },
  registry: Registry,
  io: Io,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!isInputError(error) || error.code !== 'unknown-name') throw error;
    const records = await Promise.all(folders.map((folder) => readBeginnings(folder, io)));
    const hint = formatHint(records.flat(), given, registry);
    if (hint === undefined) throw error;
    const { code, data: name } = error;
    throw new InputError(`${error.message}; ${hint}`, { cause: error, code, data: name });
  }
}

/** The plugins that runs began with and that are missed: as they were named, or by what their records list. */
function formatHint(
  records: readonly RunBeginning[],
  given: readonly string[],
  registry: Registry,
): string | undefined {
  const began = new Set(records.flatMap(({ plugins }) => plugins));
  for (const entry of given) began.delete(entry);
  if (began.size > 0) {
    const flags = [...began].map((entry) => `--plugin ${entry}`).join(' ');
    return `the run was started with ${flags}: pass it again`;
  }
  const loaded = new Set(registry.list().map((item) => item.package));
  const missed = new Map(records.flatMap(({ packages }) => packages));
  for (const name of loaded) missed.delete(name);
  if (missed.size === 0) return undefined;
  const listed = [...missed].map(([name, version]) => `${name} ${version}`).join(', ');
  const flags = [...missed.keys()].map((name) => `--plugin ${name}`).join(' ');
  return `it may come from ${listed}, which the runs were started with: pass ${flags}, or the plugin’s path`;
}
