/** The suites reject what they promise to reject: each faulty example fails the test made for it. */
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

/** By kind: each faulty example, and the test made for it. */
const FAULTY: Readonly<Record<string, readonly (readonly [name: string, title: string])[]>> = {
  strategy: [
    ['nan', 'finite scalars'],
    ['silent', 'finite scalars'],
    ['bursting', 'finite scalars'],
    ['timing', 'is pure'],
    ['slope', 'the gradient that its values have'],
    ['counting', 'is pure'],
    ['keeping', 'leaves no tensor behind'],
    ['dicing', 'draws what its seed says'],
    ['crossed', 'is zero'],
    ['crashing', 'reports a missing teacher'],
    ['lax', 'refuse an unknown key'],
    ['lax', 'refuse {"scale":0}'],
    ['unwritable', 'are JSON'],
    ['nameless', 'come with a description'],
  ],
  backend: [
    ['aliasing', 'are copies'],
    ['inexact', 'has the value and the gradient of float64'],
    ['mistyped', 'come back as they went up'],
    ['leaking', 'leaves no tensor behind'],
    ['leaking', 'are freed once and for all'],
    ['possessive', 'restores it after each call'],
    ['immortal', 'dies alone'],
    ['unchecked', 'must fill their shape'],
    ['wavering', 'times alike'],
    ['nameless', 'says what it is'],
  ],
  task: [
    ['lax', 'refuse an unknown key'],
    ['lax', 'refuse {"bits":0}'],
    ['short', 'fill their shape'],
    ['from-one', 'below the vocabulary (catches: classes'],
    ['wide', 'tokens below the vocabulary'],
    ['shifted', 'labels equal rows alike'],
    ['dicing', 'the same at every call'],
    ['torn', 'shows each row on a line'],
    ['residues', 'says its modulus'],
  ],
  model: [
    ['dicing', 'draws its parameters from the seed'],
    ['misdeclared', 'every site that it declares'],
    ['nameless axes', 'every site that it declares'],
    ['shortcut', 'whatever else is asked for'],
    ['mute', 'names the site that it does not have'],
    ['mixing', 'computes rows independently'],
    ['slope', 'the gradient that its values have'],
    ['untapped', 'lets a value be replaced'],
    ['always-dropping', 'drops only where it is given masks'],
    ['keeping', 'leaves no tensor behind'],
  ],
  optimizer: [
    ['counting-in-float', 'keeps names, shapes and types'],
    ['dividing', 'is finite'],
    ['impure', 'is pure'],
    ['keeping', 'leaves no tensor behind'],
    ['uphill', 'goes downhill'],
    ['by-norm', 'treats one vector as it treats its parts'],
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
    ['empty', 'nothing where nothing was'],
    ['aliasing', 'copies what goes in and out'],
    ['replacing', 'appends and cuts'],
    ['deep', 'lists the files of one folder'],
    ['escaping', 'never leaves its folder'],
    ['colliding', 'takes writes at the same time'],
    ['generous', 'gives a lease to one at a time'],
    ['eternal', 'gives a stale one to one alone'],
  ],
  executor: [
    ['slotless', 'says who it is'],
    ['elsewhere', 'carries out a run in its folder'],
    ['anew', 'and then leaves it'],
    ['anew', 'goes on from there'],
    ['backwards', 'tells what it tells in order'],
    ['touchy', 'bears a listener that throws'],
    ['rejecting', 'fails a job that cannot be done'],
    ['silent', 'says why'],
    ['deaf', 'saves when it is told to stop'],
    ['late', 'does not begin what is cancelled before its turn'],
    ['mixing', 'keeps jobs apart'],
    ['teacherless', 'waits for a teacher'],
    ['edgeless', 'waits for a teacher'],
    ['edgeless', 'refuses what waits for nothing'],
    ['repeating', 'gives each outcome once'],
    ['doubling', 'leaves alone a job that it has'],
  ],
  tracker: [
    ['lax', 'refuse an unknown key'],
    ['forgetful', 'has recorded every epoch'],
    ['hopeful', 'bears a run that is failed'],
    ['hasty', 'finishes where no event came'],
    ['rounding', 'leaves events as they are'],
    ['mixing', 'keeps runs apart'],
    ['repeating', 'has an epoch once'],
  ],
};
/** By kind: the examples without a fault. */
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

/** The tests to run: of a faulty example the one made for it, of a sound one all. */
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
/** Titles by suite, of the tests that ran. */
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

// Catches: a suite that passes anything.
describe.each(Object.entries(FAULTY))('a faulty %s', (kind, examples) => {
  it.each(examples)('%s fails "%s"', (name, title) => {
    expect(listFailed(`${kind} ${name}`).join('\n')).toContain(title);
  });
});
describe.each(Object.entries(SOUND))('a sound %s', (kind, names) => {
  it.each(names)('%s fails nothing', (name) => {
    expect(ran.get(`${kind} ${name}`)?.length ?? 0, 'its tests must have run').toBeGreaterThan(0);
    expect(listFailed(`${kind} ${name}`)).toEqual([]);
  });
});
