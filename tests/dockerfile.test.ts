/** Checks the command line's Docker image as far as possible without building it. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { validate } from 'dockerfile-utils';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(root + path, 'utf8');

/** Faults of a Dockerfile, one line each. */
function findFaults(text: string): string[] {
  const lines = text
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));
  const stages = lines.flatMap((line, i) => (line.startsWith('FROM ') ? [i] : []));
  const last = lines.slice(stages.at(-1));
  const of = (word: string, among = last): string[] =>
    among.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const faults: string[] = validate(text).map(({ message }) => String(message));
  if (stages.length < 2) faults.push('has one stage: what builds it would be in the image');
  for (const from of of('FROM', lines))
    if (!/^[\w./-]+:\d+\.\d+[\w.-]*( AS \w+)?$/.test(from))
      faults.push(`FROM ${from}: name a version, to the minor`);
  if (['root', '0', undefined].includes(of('USER').at(-1))) faults.push('runs as root');
  if (of('ADD', lines).length > 0) faults.push('ADD unpacks and fetches; use COPY');
  for (const word of ['ENTRYPOINT', 'CMD'])
    if (!of(word).at(-1)?.startsWith('[')) faults.push(`${word} is no list: signals go to a shell`);
  for (const folder of of('WORKDIR', lines))
    if (!folder.startsWith('/')) faults.push(`WORKDIR ${folder} is not absolute`);
  return faults;
}

test('the Dockerfile has no faults', () => expect(findFaults(read('Dockerfile'))).toEqual([]));
test('it excludes git history and installed packages, and runs files that exist', () => {
  const ignored = read('.dockerignore').split('\n');
  for (const path of ['.git', '**/node_modules', '**/dist']) expect(ignored).toContain(path);
  for (const [, script] of read('Dockerfile').matchAll(/node (scripts\/\S+)/g))
    expect(existsSync(root + script)).toBe(true);
  expect(read('Dockerfile')).toContain('@grok/cli/dist/cli.js');
});
// Catches: an image whose plugins load onnxruntime before the backend does, with its telemetry on.
test('it turns telemetry off', () =>
  expect(read('Dockerfile')).toMatch(/^ENV .*\bORT_DISABLE_TELEMETRY=1$/m));
describe('a faulty example is reported', () => {
  const sound = `FROM node:22.1 AS build\nWORKDIR /a\nFROM node:22.1\nUSER node\nENTRYPOINT ["x"]\nCMD ["y"]\n`;
  test.each([
    ['FROM node:22.1 AS build\n', '', 'has one stage'],
    ['node:22.1 AS', 'node:latest AS', 'name a version'],
    ['USER node', 'USER root', 'runs as root'],
    ['["x"]', 'x', 'ENTRYPOINT is no list'],
    ['WORKDIR /a', 'WORKDIR a', 'not absolute'],
    ['WORKDIR /a', 'ADD x y', 'use COPY'],
    ['WORKDIR /a', 'WORKDRI /a', 'WORKDRI'],
  ])('%j → %j', (from, to, fault) => {
    expect(findFaults(sound.replace(from, to)).join('\n')).toContain(fault);
  });
  test('a correct one is accepted', () => expect(findFaults(sound)).toEqual([]));
});
