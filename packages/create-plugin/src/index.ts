/** A plugin's package, whole: the folder of its kind under `templates/`, under a name of one's own. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const templates = fileURLToPath(new URL('../templates/', import.meta.url));

/** Kinds that there is a template for, and what a package of the kind is called inside the monorepo. */
const PREFIXES = {
  strategy: 'distill',
  backend: 'backend',
  task: 'task',
  optimizer: 'optim',
  probe: 'probe',
} as const;
/** A kind of component with a template. */
export type PluginKind = keyof typeof PREFIXES;
/** All kinds. */
export const pluginKinds: readonly string[] = Object.keys(PREFIXES);

/** Whether there is a template for a kind. */
export function isPluginKind(kind: string): kind is PluginKind {
  return pluginKinds.includes(kind);
}

/** Bad input: an invalid name or folder. */
export class PluginNameError extends Error {
  override readonly name = 'PluginNameError';
}

/** A package to write. */
export interface PluginPackage {
  /** Absolute. */
  readonly folder: string;
  readonly packageName: string;
  /** Name of its component in specifications. */
  readonly name: string;
  /** File contents by path. */
  readonly files: Readonly<Record<string, string>>;
  /** The root of grok's monorepo, if the package becomes part of it. */
  readonly monorepo?: string;
}

/**
 * Name of a component in specifications: `rkd` for `rkd`, `grok-rkd` and `@me/rkd`.
 * @throws PluginNameError on names that npm or specifications do not allow.
 */
export function componentName(given: string): string {
  return parseName(given).name;
}

function parseName(given: string): { scope: string | undefined; word: string; name: string } {
  const [, scope, word] = /^(@[a-z0-9][a-z0-9-]*\/)?([a-z][a-z0-9-]*)$/.exec(given) ?? [];
  if (word === undefined)
    throw new PluginNameError(
      `a name must be lower case, such as rkd or @me/rkd, got ${JSON.stringify(given)}`,
    );
  return { scope, word, name: word.replace(/^grok-(?=.)/, '') };
}

/**
 * Creates the package for a kind and a name, such as `rkd` or `@me/rkd`, in `dir` or in a folder with the
 * package's name; inside grok's monorepo it goes under `packages`. Writes nothing.
 * @throws PluginNameError as `componentName`.
 */
export function createPlugin(
  kind: PluginKind,
  given: string,
  { cwd, dir }: { readonly cwd: string; readonly dir?: string | undefined },
): PluginPackage {
  const { scope, word, name } = parseName(given);
  const monorepo = scope === undefined && dir === undefined ? monorepoAround(cwd) : undefined;
  const own = `${PREFIXES[kind]}-${name}`;
  const outside = scope === undefined ? `grok-${name}` : `${scope}${word}`;
  const packageName = monorepo === undefined ? outside : `@grok/${own}`;
  const fill = filler(kind, name, packageName);
  const files = {
    ...filesIn(kind, fill),
    ...filesIn(monorepo === undefined ? 'common' : 'monorepo', fill),
  };
  return {
    packageName,
    name,
    ...(monorepo === undefined
      ? { folder: resolve(cwd, dir ?? packageName.replace(/^@[^/]+\//, '')), files }
      : { folder: join(monorepo, 'packages', own), monorepo, files: asWorkspacePackage(files) }),
  };
}

/** Writes a package. @throws PluginNameError if its folder, named `shown` in the error, is not empty. */
export function writePlugin({ folder, files }: PluginPackage, shown: string = folder): void {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new PluginNameError(
      `${shown}: already exists; choose another name, or a folder with --dir`,
    );
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Puts a package's own names where the template of a kind has `grok-my-strategy`, `my-strategy`, `myStrategy`. */
function filler(kind: string, name: string, packageName: string): (text: string) => string {
  const words: Readonly<Record<string, string>> = {
    [`grok-my-${kind}`]: packageName,
    [`my-${kind}`]: name,
    [`my${kind.charAt(0).toUpperCase()}${kind.slice(1)}`]: toConstantName(name),
    YEAR: String(new Date().getFullYear()),
  };
  const pattern = new RegExp(`\\b(?:${Object.keys(words).join('|')})\\b`, 'g');
  return (text) => text.replace(pattern, (word) => words[word] ?? word);
}

function filesIn(folder: string, fill: (text: string) => string): Record<string, string> {
  const from = join(templates, folder);
  const entries = readdirSync(from, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(from.length + 1))
    .sort();
  return Object.fromEntries(
    paths.map((path) => [path.replaceAll('\\', '/'), fill(readFileSync(join(from, path), 'utf8'))]),
  );
}

interface Manifest {
  readonly scripts?: object;
  readonly exports: { readonly '.': object };
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** The files with a manifest as the monorepo's own packages have it: its tools, and its source as an entry. */
function asWorkspacePackage(files: Readonly<Record<string, string>>): Record<string, string> {
  const manifest = JSON.parse(files['package.json'] ?? '{}') as Manifest;
  const { scripts: _, exports, devDependencies, ...rest } = manifest;
  const { typescript: _t, vitest: _v, ...needed } = devDependencies;
  const own = Object.entries(needed).map(([name, range]) => [
    name,
    name.startsWith('@grok/') ? 'workspace:^' : range,
  ]);
  const entry = { '@grok/source': './src/index.ts', ...exports['.'] };
  const inside = {
    ...rest,
    exports: { ...exports, '.': entry },
    devDependencies: Object.fromEntries(own),
    publishConfig: { access: 'public', exports },
  };
  return { ...files, 'package.json': `${JSON.stringify(inside, null, 2)}\n` };
}

const RESERVED =
  /^(?:new|class|default|function|import|export|plugin|in|of|do|if|for|let|var|const|this|null|true|false|void|with|try|case|else|enum|super|switch|throw|typeof|while|yield|return|delete|package|static|public|private)$/;

/** `relational-kd` → `relationalKd`; a word that JavaScript keeps for itself gets a line under it. */
function toConstantName(name: string): string {
  const constant = name.replace(/-+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return RESERVED.test(constant) ? `${constant}_` : constant.replace(/-+$/, '');
}

/** The root of grok's monorepo, from a folder upwards. */
function monorepoAround(cwd: string): string | undefined {
  for (let at = resolve(cwd); ; at = dirname(at)) {
    const manifest = join(at, 'package.json');
    if (existsSync(join(at, 'pnpm-workspace.yaml')) && existsSync(manifest)) {
      const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown };
      if (name === 'grok' && existsSync(join(at, 'packages/core'))) return at;
    }
    if (at === dirname(at)) return undefined;
  }
}
