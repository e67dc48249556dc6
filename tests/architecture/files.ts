/** The repository as data: every file that git would track, and its workspace packages. */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** A file by its path from the root, with `/` between folders. */
export interface File {
  readonly path: string;
  readonly text: string;
}
/** A violated rule: the file, the rule and what was found, and how to fix it. */
export interface Fault {
  readonly file: string;
  readonly rule: string;
  readonly fix: string;
}
/** Checks a list of files and returns the violations. */
export type Rule = (files: readonly File[]) => Fault[];

/** The parts of a package.json that the rules read. */
interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly private?: boolean;
  readonly keywords?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}
/** A workspace package: its folder, manifest and files. */
export interface Package {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly files: readonly File[];
}

/** Formats a fault in one line for people. */
export const show = (fault: Fault): string => `${fault.file}: ${fault.rule}. ${fault.fix}`;

/** Reads every text file under `root` that `.gitignore` does not exclude. */
export function readTree(root: string): File[] {
  const ignored = ignoreFrom(readFileSync(`${root}/.gitignore`, 'utf8'));
  const listFiles = (folder: string): string[] =>
    readdirSync(`${root}/${folder}`, { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.name === '.git' || ignored(path)) return [];
      if (entry.isDirectory()) return listFiles(path);
      return entry.isFile() ? [path] : [];
    });
  return listFiles('')
    .map((path) => ({ path, text: readFileSync(`${root}/${path}`, 'utf8') }))
    .filter(({ text }) => !text.slice(0, 8192).includes('\0'))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Supports plain names, `/name` at the root and `*.ext`; this repository's `.gitignore` may use nothing else. */
export function ignoreFrom(gitignore: string): (path: string) => boolean {
  const lines = gitignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of lines)
    if (!/^(\*\.|\/)?[\w.-]+$/.test(line))
      throw new Error(`.gitignore: only names, /name and *.ext are understood here, got "${line}"`);
  return (path) => {
    const name = posix.basename(path);
    return lines.some((line) => {
      if (line.startsWith('/')) return path === line.slice(1);
      return line.startsWith('*') ? name.endsWith(line.slice(1)) : name === line;
    });
  };
}

/** The packages of the workspace, by their manifests. */
export function findPackages(files: readonly File[]): Package[] {
  return files.flatMap(({ path, text }) => {
    const folder = /^((?:packages|apps|examples)\/[^/]+)\/package\.json$/.exec(path)?.[1];
    if (folder === undefined) return [];
    const own = files.filter((file) => file.path.startsWith(`${folder}/`));
    return [{ folder, manifest: JSON.parse(text) as Manifest, files: own }];
  });
}

/** True for code that a package runs or ships; false for tests, scripts, benchmarks, templates and tool configuration. */
export function isSource(pkg: Package, path: string): boolean {
  const inside = path.slice(pkg.folder.length + 1);
  return (
    /\.[cm]?[jt]sx?$/.test(inside) &&
    !/^(test|tests|scripts|bench|templates)\//.test(inside) &&
    !/\.config\.[cm]?[jt]s$/.test(inside) &&
    !isTest(inside)
  );
}

/** True for the name of a test file. */
export const isTest = (path: string): boolean => /\.(test|spec)\.[cm]?[jt]sx?$/.test(path);
