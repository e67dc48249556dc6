/** Manifests, project references, plugins and READMEs are consistent. */
import { posix } from 'node:path';
import { type Fault, findPackages, isSource, type Package, type Rule } from './files.js';
import { parseSource } from './source.js';

/** `@grok/core` and `@grok/tfjs` are peers (and dev dependencies) of every package above them, with the same range. */
export const corePackagesArePeers: Rule = (files) =>
  findPackages(files)
    // create-plugin, which only writes files, needs neither.
    .filter(
      ({ folder, manifest }) =>
        folder.startsWith('packages/') && manifest.name !== '@grok/create-plugin',
    )
    .flatMap(({ folder, manifest }) => {
      const shared = ['@grok/core', '@grok/tfjs'].filter((name) => name !== manifest.name);
      const wanted =
        manifest.name === '@grok/tfjs'
          ? []
          : manifest.name === '@grok/core'
            ? ['@grok/tfjs']
            : shared;
      const file = `${folder}/package.json`;
      return wanted.flatMap((name): Fault[] => {
        const fault = (rule: string, fix: string): Fault[] => [
          { file, rule: `${name} ${rule}`, fix },
        ];
        if (manifest.dependencies?.[name] !== undefined)
          return fault('is a dependency', 'Make it a peer, so that there is one copy.');
        if (manifest.peerDependencies?.[name] !== '>=0.1.0 <1')
          return fault(
            `is a peer of range ${JSON.stringify(manifest.peerDependencies?.[name])}`,
            'Write ">=0.1.0 <1" in peerDependencies.',
          );
        if (!manifest.devDependencies?.[name]?.startsWith('workspace:'))
          return fault('is no dev dependency', 'Add "workspace:^" in devDependencies.');
        return [];
      });
    });

/** A plugin's name, version and core range match its package.json. */
export const pluginsMatchManifests: Rule = (files) =>
  findPackages(files).flatMap((pkg) => {
    const { folder, manifest } = pkg;
    const sources = pkg.files
      .filter(({ path }) => isSource(pkg, path))
      .map(({ path, text }) => ({ path, ...parseSource(path, text) }));
    const constants = new Map(sources.flatMap((source) => [...source.constants]));
    const plugins = sources.flatMap(({ path, objects }) =>
      objects
        .filter((o) => ['version', 'core', 'components'].every((key) => o.has(key)))
        .filter((o) => o.get('name')?.literal !== undefined)
        .map((entries) => ({
          path,
          get(key: string): string | undefined {
            const { literal, name } = entries.get(key) ?? {};
            return literal ?? constants.get(name ?? '');
          },
        })),
    );
    if (plugins.length === 0 && manifest.keywords?.includes('grok-plugin'))
      return [
        {
          file: `${folder}/package.json`,
          rule: 'has the keyword grok-plugin, but no plugin in its source',
          fix: 'Export { name, version, core, components } by default, or drop the keyword.',
        },
      ];
    return plugins.flatMap(({ path, get }) =>
      (
        [
          ['name', manifest.name],
          ['version', manifest.version],
          ['core', manifest.peerDependencies?.['@grok/core']],
        ] as const
      )
        .filter(([key, want]) => want !== undefined && get(key) !== want)
        .map(([key, want]) => ({
          file: path,
          rule: `the plugin's ${key} is ${JSON.stringify(get(key))}, package.json says "${want}"`,
          fix: `Write '${want}', as a literal or a constant.`,
        })),
    );
  });

interface TsConfig {
  readonly references?: readonly { readonly path: string }[];
}

/** Every tsconfig references the workspace packages that its source needs; the root's references all. */
export const referencesAreComplete: Rule = (files) => {
  const packages = findPackages(files);
  const configs = new Map(
    files
      .filter(({ path }) => /(^|\/)tsconfig\.json$/.test(path))
      .map(({ path, text }) => [posix.dirname(path), JSON.parse(text) as TsConfig]),
  );
  const check = (from: string, wanted: readonly string[]): Fault[] => {
    const file = posix.join(from, 'tsconfig.json');
    const have = new Set(
      configs.get(from)?.references?.map(({ path }) => posix.join(from, path)) ?? [],
    );
    return wanted
      .filter((folder) => configs.has(folder) && !have.has(folder))
      .map((folder) => ({
        file,
        rule: `lacks a reference to ${folder}`,
        fix: `Add { "path": "${posix.relative(from, folder)}" } to references.`,
      }));
  };
  const needs = (pkg: Package): string[] => {
    const { dependencies, peerDependencies, devDependencies } = pkg.manifest;
    const imported = pkg.files
      .filter(({ path }) => isSource(pkg, path))
      .flatMap(({ path, text }) => parseSource(path, text).imports.map(({ from }) => from));
    const dev = Object.keys(devDependencies ?? {}).filter((name) => imported.includes(name));
    const names = [...Object.keys({ ...dependencies, ...peerDependencies }), ...dev];
    return packages.filter((p) => names.includes(p.manifest.name)).map((p) => p.folder);
  };
  return [
    ...check(
      '.',
      packages.map((p) => p.folder),
    ),
    ...packages.filter((p) => configs.has(p.folder)).flatMap((p) => check(p.folder, needs(p))),
  ];
};

/** The root's npm scripts run files that exist or that the build creates. */
export const scriptsAreThere: Rule = (files) => {
  const root = files.find(({ path }) => path === 'package.json');
  const { scripts = {} } = JSON.parse(root?.text ?? '{}') as { scripts?: Record<string, string> };
  return Object.entries(scripts).flatMap(([name, command]) =>
    [...command.matchAll(/\bnode (\S+)/g)]
      .map(([, path = '']) => path)
      .filter((path) => !path.includes('/dist/') && !files.some((file) => file.path === path))
      .map((path) => ({
        file: 'package.json',
        rule: `script "${name}" runs ${path}, which is not there`,
        fix: 'Add the file, or take the script out.',
      })),
  );
};

/** Every package has a README. */
export const packagesHaveReadmes: Rule = (files) =>
  findPackages(files)
    .filter((pkg) => !pkg.files.some(({ path }) => path === `${pkg.folder}/README.md`))
    .map(({ folder }) => ({
      file: `${folder}/README.md`,
      rule: 'is missing',
      fix: 'Say what the package is, with a runnable example, its options, installation and license.',
    }));
