/** What `grok new` writes: a plugin's package, whole, for a folder of its own or for this monorepo. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError, unknownName } from '@grok/core';
import { coreVersion, quote } from '@grok/core/internal';
import { listBuiltIn } from './plugins.js';

const templates = fileURLToPath(new URL('../templates/', import.meta.url));
const CORE = '>=0.1.0 <1';
const TFJS = '4.22.0';

/** What is written of a kind: options as a README's table, how a specification and a flag name it. */
interface KindWords {
  readonly folder: string;
  readonly options: string;
  readonly summary: string;
  readonly spec: (name: string) => string;
  readonly flag: (name: string) => string;
}
const usedUnder = (key: string) => (name: string) => `"${key}": [{ "use": "${name}" }]`;
const at = (key: string) => (name: string) => `"${key}": { "use": "${name}" }`;

/** Kinds that there is a template for. */
const KINDS: Readonly<Record<string, KindWords>> = {
  strategy: {
    folder: 'distill',
    options: '| `scale` | 1 | factor of the loss, > 0 |',
    summary: 'A distillation strategy for grok: mean squared error of logits.',
    spec: usedUnder('objective'),
    flag: (name) => `--strategy ${name}`,
  },
  backend: {
    folder: 'backend',
    options: '| none | | |',
    summary: 'A backend for grok: tfjs in plain JavaScript.',
    spec: (name) => `"backend": "${name}"`,
    flag: (name) => `--backend ${name}`,
  },
  task: {
    folder: 'task',
    options: '| `bits` | 6 | bits per row, 2 … 16 |',
    summary: 'A task for grok: parity of bits.',
    spec: at('task'),
    flag: (name) => `--op ${name}`,
  },
  optimizer: {
    folder: 'optim',
    options: '| `learningRate` | 0.01 | ≥ 0 |\n| `momentum` | 0.9 | in [0, 1) |',
    summary: 'An optimizer for grok: gradient descent with momentum.',
    spec: at('optimizer'),
    flag: (name) => `--set optimizer.use=${name}`,
  },
  probe: {
    folder: 'probe',
    options: '| `every` | 10 | epochs between measurements |',
    summary: 'A probe for grok: the largest absolute value of each parameter.',
    spec: usedUnder('probes'),
    flag: (name) => `--set 'probes=[{"use":"${name}"}]'`,
  },
};

/** Names of the kinds. */
export const kindNames = (): readonly string[] => Object.keys(KINDS);

/** A package to be written. */
export interface Scaffold {
  /** Absolute. */
  readonly folder: string;
  readonly packageName: string;
  /** Name of what it provides, as specifications say it. */
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** The root of this monorepo, where the package is to be one of it. */
  readonly monorepo?: string;
}

/**
 * The package for a kind and a name, `rkd` or `@me/rkd`; inside the monorepo it goes under `packages`.
 * @throws InputError on an unknown kind, a name that npm or a specification would not take, or a built-in's.
 */
export function scaffold(kind: string, given: string, cwd: string, dir?: string): Scaffold {
  const known = KINDS[kind];
  if (known === undefined) throw unknownName('kind', kind, Object.keys(KINDS));
  const [, scope, word] = /^(@[a-z0-9][a-z0-9-]*\/)?([a-z][a-z0-9-]*)$/.exec(given) ?? [];
  if (word === undefined)
    throw new InputError(
      `grok new: a name must be lower case, such as rkd or @me/rkd, got ${quote(given)}`,
    );
  const name = word.replace(/^grok-(?=.)/, '');
  const own = listBuiltIn().find((item) => item.kind === kind && item.name === name);
  if (own !== undefined)
    throw new InputError(
      `grok new: ${kind} "${name}" is built in (${own.package}); choose another name`,
    );
  const monorepo = scope === undefined && dir === undefined ? monorepoAround(cwd) : undefined;
  const inside = monorepo !== undefined;
  const packageName = inside
    ? `@grok/${known.folder}-${name}`
    : `${scope ?? ''}${scope === undefined ? `grok-${name}` : word}`;
  const folder = inside
    ? join(monorepo, 'packages', `${known.folder}-${name}`)
    : resolve(cwd, dir ?? packageName.replace(/^@[^/]+\//, ''));
  const words: Readonly<Record<string, string>> = {
    __NAME__: name,
    __CONST__: toConstantName(name),
    __TITLE__: `\`${name}\``,
    __PACKAGE__: packageName,
    __CORE__: CORE,
    __KIND__: kind,
    __OPTIONS__: known.options,
    __SUMMARY__: known.summary,
    __SPEC__: known.spec(name),
    __FLAG__: known.flag(name),
  };
  const fill = (file: string): string =>
    readFileSync(join(templates, file), 'utf8').replace(/__[A-Z]+__/g, (key) => words[key] ?? key);
  return {
    folder,
    packageName,
    name,
    ...(inside ? { monorepo } : {}),
    files: {
      'package.json': json(makeManifest(kind, packageName, known.summary, inside)),
      'README.md': fill('README.md.tmpl'),
      'tsconfig.json': inside ? TSCONFIG_INSIDE : json(TSCONFIG_OUTSIDE),
      ...(inside ? { 'tsdown.config.ts': TSDOWN } : { LICENSE: license() }),
      'src/index.ts': fill(`${kind}.ts.tmpl`),
      'test/index.test.ts': fill(`${kind}.test.ts.tmpl`),
    },
  };
}

/** `relational-kd` → `relationalKd`; a word that JavaScript keeps for itself gets a line under it. */
function toConstantName(name: string): string {
  const constant = name.replace(/-+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return /^(new|class|default|function|import|export|plugin|in|of|do|if|for|let|var|const|this|null|true|false|void|with|try|case|else|enum|super|switch|throw|typeof|while|yield|return|delete|package|static|public|private)$/.test(
    constant,
  )
    ? `${constant}_`
    : constant.replace(/-+$/, '');
}

/** The root of this monorepo, from a folder upwards. */
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

function makeManifest(kind: string, name: string, description: string, inside: boolean): object {
  const ours = inside ? 'workspace:^' : `^${coreVersion}`;
  const built = { types: './dist/index.d.ts', default: './dist/index.js' };
  const exports = (entry: object): object => ({ '.': entry, './package.json': './package.json' });
  const source = { '@grok/source': './src/index.ts', ...built };
  return {
    name,
    version: '0.1.0',
    description,
    keywords: ['grok', 'grokking', 'grok-plugin'],
    license: 'MIT',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19.0' },
    ...(inside ? {} : { scripts: { build: 'tsc -p .', prepack: 'tsc -p .', test: 'vitest run' } }),
    exports: exports(inside ? source : built),
    files: ['dist'],
    peerDependencies: { '@grok/core': CORE, '@grok/tfjs': CORE },
    ...(kind === 'backend'
      ? { dependencies: { '@tensorflow/tfjs-backend-cpu': TFJS, '@tensorflow/tfjs-core': TFJS } }
      : {}),
    devDependencies: {
      '@grok/core': ours,
      '@grok/testing': ours,
      '@grok/tfjs': ours,
      ...(kind === 'strategy' || kind === 'optimizer'
        ? { '@tensorflow/tfjs-backend-cpu': TFJS, '@tensorflow/tfjs-core': TFJS }
        : {}),
      ...(inside ? {} : { typescript: '7.0.2', vitest: '^4.1.12' }),
    },
    ...(inside ? { publishConfig: { access: 'public', exports: exports(built) } } : {}),
  };
}

/** As the formatter writes it. */
const TSCONFIG_INSIDE = `{
  "extends": "../../tsconfig.base.json",
  "include": ["src"],
  "references": [
    {
      "path": "../../packages/core"
    },
    {
      "path": "../../packages/tfjs"
    }
  ]
}
`;
const TSCONFIG_OUTSIDE = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    lib: ['es2023', 'dom'],
    types: [],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
    declaration: true,
    rootDir: 'src',
    outDir: 'dist',
  },
  include: ['src'],
};
const TSDOWN = `import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  dts: { oxc: true },
  sourcemap: true,
});
`;

function license(): string {
  return `MIT License

Copyright (c) ${new Date().getFullYear()}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;
}

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
