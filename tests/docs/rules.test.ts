/** Each check of the documentation catches a faulty page. */
import { expect, test } from 'vitest';
import {
  commandFaults,
  grokArguments,
  npxFaults,
  type Programs,
  parseCommands,
} from './commands.js';
import { featureFaults } from './features.js';
import { parseBlocks, parseLinks, tableRows } from './markdown.js';

const programs: Programs = {
  scripts: ['test', 'bench'],
  help: (name) =>
    ({
      '': 'Commands:\n  train [options]  one run\n  reproduce  the paper\nOptions:\n  -V, --version',
      train: 'Options:\n  --op <name>  operation\n  --epochs <n>\n  -o, --out <dir>',
      reproduce: 'Options:\n  --preset <name>',
    })[name] ?? '',
  exists: (path) => path === 'examples/plugin-cosine',
};
const faults = (text: string): string[] =>
  commandFaults({ file: 'README.md', line: 3, lang: 'bash', info: '', text }, programs);

// Catches: blocks that are skipped or reported on the wrong line.
test('blocks keep their language, position and text', () => {
  const page = 'a\n```ts no-run\nlet x;\n```\n```\nno language\n```\n- b\n  ```json\n  {}\n  ```\n';
  expect(parseBlocks('a.md', page)).toEqual([
    { file: 'a.md', line: 3, lang: 'ts', info: 'no-run', text: 'let x;' },
    { file: 'a.md', line: 10, lang: 'json', info: '', text: '{}' },
  ]);
});
// Catches: dead links hidden by anchors, or code taken for a link.
test('links within the repository are found; external links and code are not', () => {
  const page =
    '[a](docs/a.md#x) ![b](b.svg "t") [c](https://c.org) [d](#d) `[e](e)`\n```\n[f](f)\n```';
  expect(parseLinks(page)).toEqual(['docs/a.md', 'b.svg']);
});
test('tables return their rows without headers', () => {
  expect(tableRows('| a | b |\n|---|---|\n| 1 | x \\| y |\n\ntext | no\n')).toEqual([
    ['1', 'x \\| y'],
  ]);
});
// Catches: a command whose form escapes the check.
test('commands are parsed as in a shell', () => {
  expect(
    parseCommands(
      '# note\nGROK_BACKEND=wasm grok train \\\n  --op div # x\ncd a && npm test\n$ grok runs',
    ),
  ).toEqual([
    ['grok', 'train', '--op', 'div'],
    ['cd', 'a'],
    ['npm', 'test'],
    ['grok', 'runs'],
  ]);
  for (const line of ['npm start -- train', 'npx grok train', 'node apps/cli/dist/cli.js train'])
    expect(grokArguments(line.split(' '))).toEqual(['train']);
  expect(grokArguments(['npm', 'start'])).toEqual([]);
  expect(grokArguments(['grokking'])).toBeUndefined();
});
// Catches: documentation of a renamed command, option, script or folder.
test('unknown commands are reported', () => {
  expect(faults('grok trian')[0]).toContain(
    'README.md:3: "grok trian": grok has no command "trian"',
  );
  expect(faults('grok train --opp div')[0]).toContain('grok train has no option --opp');
  expect(faults('grok train --ep 3')[0]).toContain('has no option --ep');
  expect(faults('npm run bnech')[0]).toContain('no script "bnech"');
  expect(faults('grok train --out examples/plugin-x')[0]).toContain(
    'there is no examples/plugin-x',
  );
  expect(
    faults(
      'npm start\nnpm start -- --preset paper\ngrok train --op div --epochs=3 -o x\nnpm test\nnpm run bench -- --x\nnpm install zod\nls examples/plugin-cosine',
    ),
  ).toEqual([]);
});
// Catches: a reader who is sent to an unrelated package of that name.
test('npx before installation is reported', () => {
  const page = (...texts: string[]) =>
    npxFaults(texts.map((text, i) => ({ file: 'a.md', line: 10 * i, lang: 'sh', info: '', text })));
  const install = 'ONNXRUNTIME_NODE_INSTALL=skip npm install @grok/cli';
  expect(page(`npx grok doctor\n${install}`, 'npx grok runs')).toEqual([
    expect.stringContaining('a.md:0: "npx grok doctor": install @grok/cli first'),
  ]);
  expect(page(`${install}\nnpx grok doctor`, 'npx grok runs', 'npx changeset')).toEqual([]);
});
// Catches: a claim without a test, or whose test was renamed or removed.
test('claims without their file or test are reported', () => {
  const head = '| claim | file | test | status |\n|---|---|---|---|\n';
  const read = (path: string): string | undefined =>
    ({ 'a.ts': '', 'a.test.ts': "test('adds', …)" })[path];
  const findFaults = (row: string): string[] => featureFaults(head + row, read);
  expect(findFaults('| c | `a.ts` | `a.test.ts` "adds" | done |')).toEqual([]);
  expect(findFaults('| c | – | – | open |')).toEqual([]);
  expect(findFaults('| c | `b.ts` | `a.test.ts` | done |')).toEqual([
    'FEATURES.md, "c": there is no b.ts',
  ]);
  expect(findFaults('| c | `a.ts` | `a.test.ts` "subtracts" | done |')[0]).toContain('has no test');
  expect(findFaults('| c | `a.ts` | – | partial |')[0]).toContain('names no test');
  expect(findFaults('| c | `a.ts` | `a.test.ts` | finished |')[0]).toContain('the status one of');
  expect(featureFaults('', read)).toEqual(['FEATURES.md: has no rows']);
});
