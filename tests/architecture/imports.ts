/**
 * Import directions between packages: apps → report → analysis → study → features → core → tfjs,
 * and testing → core. Features never import each other, so each can be installed, replaced and
 * published alone.
 */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { type Fault, findPackages, isSource, type Package, type Rule } from './files.js';
import { type Import, parseSource } from './source.js';

const FEATURE = 3;
const APP = 7;
/** A package may import those of a lower rank. */
const RANKS: readonly (readonly [RegExp, number])[] = [
  [/^@grok\/(tfjs|create-plugin)$/, 0],
  [/^@grok\/core$/, 1],
  [/^@grok\/track$/, 2],
  [
    /^@grok\/(data|model|optim|metrics|interp|quantize|export|(distill|backend|track|task|optim|probe|store)-.+)$/,
    FEATURE,
  ],
  [/^@grok\/testing$/, FEATURE],
  [/^@grok\/study$/, 4],
  [/^@grok\/(analysis|executor-.+)$/, 5],
  [/^@grok\/report$/, 6],
];

function packageRank(
  name: string,
  folder?: string,
  keywords?: readonly string[],
): number | undefined {
  // An example that is a plugin counts as a feature, wherever it is.
  if (folder?.startsWith('examples/')) return keywords?.includes('grok-plugin') ? FEATURE : APP;
  if (folder?.startsWith('apps/')) return APP;
  return RANKS.find(([pattern]) => pattern.test(name))?.[1];
}

/** `@grok/core` for `@grok/core/node`, `vega` for `vega/build`; undefined for relative imports and Node's own. */
function packageName(specifier: string): string | undefined {
  if (/^(\.|node:|#|\/)/.test(specifier)) return undefined;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function direction(pkg: Package, to: string, where: string, verb: string): Fault[] {
  const from = pkg.manifest.name;
  if (from === to || !to.startsWith('@grok/')) return [];
  const mine = packageRank(from, pkg.folder, pkg.manifest.keywords);
  const theirs = packageRank(to);
  const fault = (rule: string, fix: string): Fault[] => [
    { file: where, rule: `${from} ${verb} ${to}: ${rule}`, fix },
  ];
  if (mine === undefined)
    return fault('a package without a layer', 'Give it one in tests/architecture/imports.ts.');
  if (theirs === undefined || theirs >= APP)
    return fault('apps are imported by nobody', 'Move what is shared into a package.');
  if (to === '@grok/testing')
    return fault('testing serves tests only', 'Import it from test files, as a devDependency.');
  if (mine === FEATURE && theirs === FEATURE)
    return fault(
      'a feature never imports a feature',
      'Move the shared contract to @grok/core, or let the caller pass the value in.',
    );
  if (theirs >= mine)
    return fault(
      'imports point down: apps → report → study → features → core → tfjs',
      'Turn the dependency round, or move the shared piece down a layer.',
    );
  return [];
}

const eachImport = (
  files: Parameters<Rule>[0],
  look: (pkg: Package, path: string, found: Import) => Fault[],
  which: (pkg: Package, path: string) => boolean = isSource,
): Fault[] =>
  findPackages(files).flatMap((pkg) =>
    pkg.files
      .filter(({ path }) => which(pkg, path))
      .flatMap(({ path, text }) =>
        parseSource(path, text).imports.flatMap((found) => look(pkg, path, found)),
      ),
  );

/** Imports in source files, and dependencies in manifests, point down the layers. */
export const importsPointDown: Rule = (files) => [
  ...eachImport(files, (pkg, path, { from }) => {
    const to = packageName(from);
    return to === undefined ? [] : direction(pkg, to, path, 'imports');
  }),
  ...findPackages(files).flatMap((pkg) =>
    [pkg.manifest.dependencies, pkg.manifest.peerDependencies, pkg.manifest.optionalDependencies]
      .flatMap((list) => Object.keys(list ?? {}))
      .flatMap((to) => direction(pkg, to, `${pkg.folder}/package.json`, 'depends on')),
  ),
];

/**
 * A relative import stays inside its package. Tests may also import the root's `scripts` and
 * `tests`, and tool configurations the root's.
 */
export const relativeImportsStayInside: Rule = (files) =>
  eachImport(
    files,
    (pkg, path, { from }) => {
      const target = from.startsWith('.') ? posix.join(posix.dirname(path), from) : path;
      if (target.startsWith(`${pkg.folder}/`)) return [];
      if (!isSource(pkg, path) && /^(scripts|tests)\//.test(target)) return [];
      return [
        {
          file: path,
          rule: `imports ${from}, which is outside ${pkg.folder}`,
          fix: 'Import the other package by its name.',
        },
      ];
    },
    (_, path) => /(?<!\.config)\.[cm]?[jt]sx?$/.test(path),
  );

/** Core's folders by layer: a file imports from its own folder and from lower layers. */
const ROOMS: Readonly<Record<string, number>> = {
  contracts: 0,
  tensors: 1,
  plugins: 2,
  training: 3,
  runs: 4,
  node: 5,
};

/** Imports between folders of core's source only point down. */
export const roomsPointDown: Rule = (files) =>
  eachImport(files, ({ folder }, path, { from }) => {
    const src = `${folder}/src/`;
    if (folder !== 'packages/core' || !path.startsWith(src) || !from.startsWith('.')) return [];
    const readRoom = (file: string): string => file.slice(src.length).split('/')[0] ?? '';
    const [own, other] = [readRoom(path), readRoom(posix.join(posix.dirname(path), from))];
    const [floor, theirs] = [ROOMS[own], ROOMS[other]];
    // The entry files are above all folders.
    if (floor === undefined) return [];
    if (own === other || (theirs !== undefined && theirs < floor)) return [];
    return [
      {
        file: path,
        rule: `${own} imports ${from} of ${other}, which is not below it`,
        fix: `Move what both need into a lower folder; the order is ${Object.keys(ROOMS).join(', ')}.`,
      },
    ];
  });

/** Source files import only what their manifest lists; from devDependencies only types, and code that is bundled. */
export const importsAreDeclared: Rule = (files) =>
  eachImport(files, (pkg, path, { from, how }) => {
    const { folder, manifest } = pkg;
    const name = packageName(from);
    const fromDev = how === 'type' || bundledBy(pkg).includes(`'${name}'`);
    const listed = {
      ...manifest.dependencies,
      ...manifest.peerDependencies,
      ...manifest.optionalDependencies,
      ...(fromDev ? manifest.devDependencies : {}),
    };
    if (name === undefined || name in listed || name === manifest.name || isBuiltin(from))
      return [];
    return [
      {
        file: path,
        rule: `imports ${name}, which ${folder}/package.json does not list`,
        fix: 'Add it to dependencies or peerDependencies; the checkout hides its absence.',
      },
    ];
  });

/** The calls of `bundled` in the configuration of a package's build, as text. */
const bundledBy = ({ folder, files }: Package): string => {
  const config = files.find(({ path }) => path === `${folder}/tsdown.config.ts`)?.text ?? '';
  return config.match(/bundled\([^)]*\)/g)?.join(' ') ?? '';
};

/** Some packages may be imported in one place only. */
export const oneDoor: Rule = (files) =>
  eachImport(files, (_, path, { from }) => {
    const name = packageName(from);
    if (
      /^@tensorflow\/(tfjs-core|tfjs)$/.test(name ?? '') &&
      !path.startsWith('packages/tfjs/src/')
    )
      return [
        {
          file: path,
          rule: `imports ${from}: @grok/tfjs is the one door to tfjs-core`,
          fix: "Write import * as tf from '@grok/tfjs'.",
        },
      ];
    if (
      /^(tsyringe|reflect-metadata)$/.test(name ?? '') &&
      path !== 'packages/core/src/plugins/registry.ts'
    )
      return [
        {
          file: path,
          rule: `imports ${from}: only packages/core/src/plugins/registry.ts sees the container`,
          fix: 'Take the thing as an argument; let the registry hand it over.',
        },
      ];
    return [];
  });
