/** Rules on any file: length, machine-specific paths, tests that no project runs. */
import picomatch from 'picomatch';
import { type Fault, type File, isTest, type Rule } from './files.js';
import { parseSource } from './source.js';

const LINES = 400;
/** Split so that this file follows its own rule. */
const MACHINE_PATH =
  /(?:^|[^A-Za-z0-9_.~}])(\/(?:w[o]rk|f[a]rm|r[o]ot|h[o]me|t[m]p|U[s]ers)\/[a-zA-Z][^\s'"`)]*)/;

/** No code file is longer than 400 lines. */
export const filesAreShort: Rule = (files) =>
  files
    .filter(({ path }) => /\.([cm]?[jt]sx?|sh|css|py)$/.test(path))
    .map(({ path, text }) => ({ path, lines: text.replace(/\n$/, '').split('\n').length }))
    .filter(({ lines }) => lines > LINES)
    .map(({ path, lines }) => ({
      file: path,
      rule: `has ${lines} lines, the cap is ${LINES}`,
      fix: 'Split it where two ideas meet.',
    }));

/** No file contains a machine-specific path. */
export const noMachinePaths: Rule = (files) =>
  files
    .filter(({ path }) => path !== 'pnpm-lock.yaml')
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, i): Fault[] => {
        const found = MACHINE_PATH.exec(line)?.[1];
        if (found === undefined) return [];
        return [
          {
            file: `${path}:${i + 1}`,
            rule: `names ${found}, a path of one machine`,
            fix: 'Use a path relative to the repository, or os.tmpdir().',
          },
        ];
      }),
    );

/** The part of a vitest project that selects its files. */
export interface TestProject {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
}

/** Every test file, and every file that declares tests without exporting them, belongs to a project. */
export const testsAreRun =
  (projects: readonly TestProject[]): Rule =>
  (files) => {
    const matchers = projects.map(({ include, exclude = [] }) =>
      picomatch([...include], { ignore: [...exclude], dot: true }),
    );
    return (
      files
        .filter((file) => isTest(file.path) || declaresTests(file))
        // A template's tests run as part of the project created from it.
        .filter(({ path }) => !path.includes('/templates/'))
        .filter(({ path }) => !matchers.some((matches) => matches(path)))
        .map(({ path }) => ({
          file: path,
          rule: `holds tests, but no vitest project (${projects.map((p) => p.name).join(', ')}) matches it`,
          fix: 'Name it test/NAME.test.ts (or .slow.test.ts), or add a project in vitest.config.ts.',
        }))
    );
  };

function declaresTests({ path, text }: File): boolean {
  if (!/\.[cm]?[jt]sx?$/.test(path) || !text.includes('vitest')) return false;
  const { imports, hasExports } = parseSource(path, text);
  return (
    !hasExports &&
    imports.some(
      ({ from, names }) => from === 'vitest' && names.some((n) => /^(test|it|describe)$/.test(n)),
    )
  );
}
