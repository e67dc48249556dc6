/** The suites detect what they promise: each faulty example fails the test written for it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

/** By kind: each faulty example and the test that must fail. */
const FAULTY: Readonly<Record<string, readonly (readonly [name: string, title: string])[]>> = {
  strategy: [
    ['nan', 'finite scalars'],
    ['silent', 'finite scalars'],
    ['bursting', 'finite scalars'],
    ['timing', 'is pure'],
    ['slope', 'the gradient of its values'],
    ['counting', 'is pure'],
    ['keeping', 'leaves no tensor behind'],
    ['dicing', 'draws reproducibly from its seed'],
    ['crossed', 'is zero'],
    ['crashing', 'reports a missing teacher'],
    ['lax', 'refuse an unknown key'],
    ['lax', 'refuse {"scale":0}'],
    ['unwritable', 'are JSON'],
    ['nameless', 'come with a description'],
  ],
  backend: [
    ['aliasing', 'are copies'],
    ['inexact', 'matches float64 in value and gradient'],
    ['mistyped', 'are read back as uploaded'],
    ['leaking', 'leaves no tensor behind'],
    ['leaking', 'are gone once freed'],
    ['possessive', 'restores it after each call'],
    ['immortal', 'is independent of another'],
    ['unchecked', 'must fill their shape'],
    ['wavering', 'times alike'],
    ['nameless', 'describes itself'],
  ],
  task: [
    ['lax', 'refuse an unknown key'],
    ['lax', 'refuse {"bits":0}'],
    ['short', 'fill their shape'],
    ['from-one', 'below the vocabulary (catches: classes'],
    ['wide', 'tokens below the vocabulary'],
    ['shifted', 'labels equal rows alike'],
    ['dicing', 'the same at every call'],
    ['torn', 'shows each row on one line'],
    ['residues', 'states the right modulus'],
  ],
  model: [
    ['dicing', 'draws its parameters from the seed'],
    ['misdeclared', 'every declared site'],
    ['nameless axes', 'every declared site'],
    ['shortcut', 'whatever else is requested'],
    ['mute', 'names an unknown site'],
    ['mixing', 'computes rows independently'],
    ['slope', 'the gradient of its values'],
    ['untapped', 'lets a value be replaced'],
    ['always-dropping', 'drops only with masks'],
    ['keeping', 'leaves no tensor behind'],
  ],
  optimizer: [
    ['counting-in-float', 'keeps names, shapes and types'],
    ['dividing', 'is finite'],
    ['impure', 'is pure'],
    ['keeping', 'leaves no tensor behind'],
    ['uphill', 'goes downhill'],
    ['by-norm', 'treats one vector like its parts'],
  ],
  probe: [
    ['never', 'has a valid time to run'],
    ['rowless', 'requests valid rows'],
    ['nan', 'returns JSON'],
    ['counting', 'is pure'],
    ['changing', 'is pure'],
    ['keeping', 'leaves no tensor behind'],
  ],
  store: [
    ['empty', 'undefined for a missing file'],
    ['aliasing', 'copies bytes in and out'],
    ['replacing', 'appends and truncates'],
    ['deep', 'lists the files of one folder'],
    ['escaping', 'never leaves its folder'],
    ['colliding', 'supports concurrent writes'],
    ['generous', 'grants a lease to one holder at a time'],
    ['eternal', 'grants a stale one to one holder only'],
  ],
  executor: [
    ['slotless', 'has a name and slots'],
    ['elsewhere', 'executes a run in its folder'],
    ['anew', 'leaves a finished one alone'],
    ['anew', 'resumes from there'],
    ['backwards', 'reports events in order'],
    ['touchy', 'ignores a listener that throws'],
    ['rejecting', 'fails an impossible job'],
    ['silent', 'says why'],
    ['deaf', 'saves when canceled'],
    ['late', 'does not start a job canceled before its turn'],
    ['mixing', 'keeps jobs apart'],
    ['teacherless', 'waits for a teacher'],
    ['edgeless', 'waits for a teacher'],
    ['edgeless', 'refuses an edge to nothing'],
    ['repeating', 'returns each outcome once'],
    ['doubling', 'ignores a job that it already has'],
  ],
  tracker: [
    ['lax', 'refuse an unknown key'],
    ['forgetful', 'has recorded every epoch'],
    ['hopeful', 'handles a failed run'],
    ['hasty', 'finishes without events'],
    ['rounding', 'does not change events'],
    ['mixing', 'keeps runs apart'],
    ['repeating', 'records an epoch once'],
  ],
};
/** By kind: the correct examples. */
const SOUND: Readonly<Record<string, readonly string[]>> = {
  strategy: ['sound', 'warming', 'cooling'],
  task: ['sound'],
  model: ['sound'],
  optimizer: ['sound'],
  probe: ['sound'],
  store: ['sound'],
  executor: ['sound'],
  tracker: ['sound'],
};

/** The tests to run: for a faulty example the one written for it, for a correct one all. */
const wanted = [
  ...Object.entries(FAULTY).flatMap(([kind, examples]) =>
    examples.map(([name, title]) => `${kind} ${name} .*${literal(title)}`),
  ),
  ...Object.entries(SOUND).flatMap(([kind, names]) => names.map((name) => `${kind} ${name} `)),
];
function literal(text: string): string {
  return text.replace(/[^\w\s]/g, '\\$&');
}

const folder = mkdtempSync(join(tmpdir(), 'grok-faulty-'));
/** Titles of the tests that ran, by suite. */
let ran: Map<string, { readonly title: string; readonly failed: boolean }[]>;

beforeAll(() => {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const file = join(folder, 'report.json');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--config',
      fileURLToPath(new URL('faulty/vitest.config.ts', import.meta.url)),
      `--testNamePattern=^(${wanted.join('|')})`,
      '--reporter=json',
      `--outputFile=${file}`,
    ],
    { cwd: root, encoding: 'utf8' },
  );
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Error(`no report was written:\n${stdout}${stderr}`);
  }
  ran = new Map();
  for (const { ancestorTitles, title, status } of report.testResults.flatMap(
    (result) => result.assertionResults,
  )) {
    if (status !== 'failed' && status !== 'passed') continue;
    const suite = ancestorTitles[0]!;
    const tests = ran.get(suite) ?? [];
    ran.set(suite, tests);
    const whole = [...ancestorTitles.slice(1), title].join(' > ');
    tests.push({ title: whole, failed: status === 'failed' });
  }
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

const listFailed = (suite: string): string[] =>
  (ran.get(suite) ?? []).filter((test) => test.failed).map(({ title }) => title);

// Catches: a suite that accepts anything.
describe.each(Object.entries(FAULTY))('a faulty %s', (kind, examples) => {
  it.each(examples)('%s fails "%s"', (name, title) => {
    expect(listFailed(`${kind} ${name}`).join('\n')).toContain(title);
  });
});
describe.each(Object.entries(SOUND))('a correct %s', (kind, names) => {
  it.each(names)('%s fails nothing', (name) => {
    expect(ran.get(`${kind} ${name}`)?.length ?? 0, 'its tests must have run').toBeGreaterThan(0);
    expect(listFailed(`${kind} ${name}`)).toEqual([]);
  });
});
