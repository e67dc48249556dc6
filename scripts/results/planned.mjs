/**
 * Tables, statements and figures of the studies with preregistered hypotheses, from the records of
 * their finished runs. A study may be incomplete; missing runs are counted.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { memoryStore } from '@grok/core';
import { canonicalJson, sha256Hex } from '@grok/core/internal';
import {
  armsTable,
  describeVerdict,
  formatMarkdown,
  renderSvg,
  statesTables,
  survivalFigure,
  timesTables,
} from '@grok/report';
import {
  checkPlan,
  compareTimes,
  expandPlan,
  isFinished,
  loadStudy,
  nameArm,
  pairedT,
  summarizeTimes,
  testHypotheses,
} from '@grok/study';
import { readRecordFolder } from '@grok/study/process';
import { planOf } from './exploratory.mjs';

const NOTHING = 'No run of it has a record yet.';

/** A plan and its recorded runs in a folder; the plan is the folder's own, or the preset of that name. */
export async function loadPlanned(name, folder) {
  const own = new URL('plan.json', folder);
  const isPreset = ['decay', 'controls'].includes(name);
  if (!isPreset && !existsSync(own)) return undefined;
  const plan = isPreset
    ? checkPlan(planOf(name), `preset ${name}`)
    : checkPlan(JSON.parse(readFileSync(own, 'utf8')), own.href);
  const stated = existsSync(own) ? JSON.parse(readFileSync(own, 'utf8')) : plan;
  if (canonicalJson(stated) !== canonicalJson(plan))
    throw new Error(`${own.href}: is not the preset ${name}; its runs are of another plan`);
  // Plans share runs, and each is recorded once, so records of other studies count too.
  const records = await readRecordFolder(fileURLToPath(new URL('../', folder)));
  const root = memoryStore(name);
  const runs = await loadStudy(expandPlan(plan), { root, open: memoryStore, records });
  return { plan, runs };
}

/** All parts of the page for a planned study, by marker. */
export async function plannedParts({ plan, runs }) {
  const tables = [...timesTables(plan, runs), ...(await similarityTables(runs))];
  const parts = new Map(tables.map((table) => [table.name, formatMarkdown(table)]));
  const of = (name) => parts.get(name) ?? NOTHING;
  const differences = [of('table-differences'), of('table-differences-sustained')];
  return {
    [`${plan.name}-state`]: await stateOf(plan, runs),
    [`${plan.name}-hypotheses`]: of('table-hypotheses'),
    [`${plan.name}-arms`]: of('table-arms'),
    [`${plan.name}-thresholds`]: [of('table-thresholds'), of('table-thresholds-sustained')].join(
      '\n\n',
    ),
    [`${plan.name}-differences`]: differences.join('\n\n'),
    [`${plan.name}-similarity`]:
      ['table-states-cka-last', 'table-states-cka', 'table-states-rank']
        .flatMap((name) => parts.get(name) ?? [])
        .join('\n\n') || 'No run has an analysis beside its record yet.',
    [`${plan.name}-figures`]:
      figuresOf(plan, runs)
        .map(({ name, title, caption }) => `![${title}](figures/${name}.svg)\n\n${caption}`)
        .join('\n\n') || NOTHING,
  };
}

async function similarityTables(runs) {
  return statesTables(runs.filter(isFinished), (message) => {
    throw new Error(message);
  });
}

const figuresOf = (plan, runs) =>
  [0.5, 0.99].flatMap((threshold) => survivalFigure(plan, runs, threshold) ?? []);

/** Figures by file name: SVG files and their specifications. */
export async function plannedFigures({ plan, runs }) {
  const files = [];
  for (const { name, spec } of figuresOf(plan, runs)) {
    files.push([`${name}.svg`, await renderSvg(spec)]);
    files.push([`${name}.vl.json`, `${JSON.stringify(spec, null, 2)}\n`]);
  }
  return files;
}

/** The progress of a study, its time, and the hash of its preregistered hypotheses. */
async function stateOf(plan, runs) {
  const students = runs.filter(({ role }) => role !== 'teacher');
  const done = [...new Map(runs.filter(isFinished).map((run) => [run.run, run])).values()];
  const hours = done.reduce((sum, { record }) => sum + record.seconds, 0) / 3600;
  const lost = students.filter(({ state }) => state === 'failed' || state === 'blocked').length;
  const starts = await Promise.all(done.map(({ store }) => countStarts(store)));
  const resumed = starts.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
  const hash = sha256Hex(canonicalJson(plan));
  return `Finished: ${students.filter(isFinished).length} of ${students.length} students and controls; ${lost} are lost. Training of all finished runs, teachers included, took ${hours.toFixed(1)} hours and was resumed ${resumed} times. SHA-256 of the plan as canonical JSON: \`${hash}\`.`;
}

/** How often a run was started or resumed; 0 if its record has no events. */
async function countStarts(store) {
  const bytes = await store.read('events.jsonl');
  if (bytes === undefined) return 0;
  const lines = new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((line) => line !== '');
  return lines.filter((line) => JSON.parse(line).type === 'start').length;
}

/** The four questions of the study of weight decay, each with its test, control and answer. */
export function statementsOf(planned) {
  return formatMarkdown({
    name: 'statements',
    title: 'Four questions',
    head: ['question', 'test', 'control', 'answer'],
    rows: answersOf(planned),
  });
}

function answersOf({ plan, runs }) {
  const tested = new Map(testHypotheses(plan, runs).map((one) => [one.name, one]));
  const study = { plan, runs, tested };
  return [
    ['Is weight decay essential?', 'came to 99 % without decay', 'decay-0/none', essential(study)],
    ['Are logits worse, or slower?', '“logit”; final accuracy', 'decay-1/none', logits(study)],
    [
      'Are hidden states faster?',
      '“feature”, “feature against logit”',
      'decay-1/none, decay-1/logit',
      features(study),
    ],
    [
      'Does distilling need decay?',
      '“feature without decay”',
      'decay-0/none, decay-0/logit',
      distilling(study),
    ],
  ];
}

/** The README's summary: the answers, or the progress. */
export function shortStateOf(planned) {
  const { runs } = planned;
  const students = runs.filter(({ role }) => role !== 'teacher');
  const over = students.filter(({ state }) => ['finished', 'failed', 'blocked'].includes(state));
  if (over.length < students.length)
    return `A longer study of ten other seeds, to 1,000 epochs with a decay of 1, 0.1, and 0, tests what these runs suggest. ${over.length} of its ${students.length} students and controls have ended, and nothing is concluded from it before all have.`;
  return answersOf(planned)
    .map(([question, , , answer]) => `- *${question}* ${answer}`)
    .join('\n');
}

/** Arms of an exploratory study, without tests. */
export function exploredPart(name, { plan, runs } = {}) {
  if (plan === undefined) return NOTHING;
  const horizon = plan.hypotheses?.outcome.horizon ?? plan.shared.epochs;
  const begun = new Set(runs.filter(isFinished).map(nameArm));
  const own = runs.filter((run) => begun.has(nameArm(run)));
  return formatMarkdown({
    ...armsTable(own, horizon, 0.5),
    title: `${name}, up to epoch ${horizon}`,
  });
}

function essential({ plan, runs }) {
  const arms = ['none', 'logit', 'attention', 'feature'].map((name) => [
    name,
    summarizeTimes(runs, `decay-0/${name}`, at(plan, 0.99)),
  ]);
  const ended = arms.reduce((sum, [, found]) => sum + found.ended, 0);
  const planned = arms.length * plan.seeds.length;
  if (ended < planned) return `undecided: ${ended} of ${planned} runs without decay have ended`;
  const reached = arms.reduce((sum, [, found]) => sum + found.reached, 0);
  const shares = arms.map(([name, found]) => `${name} ${rateText(found)}`).join(', ');
  return reached === 0
    ? `Nothing came to 99 % without it within ${plan.hypotheses.outcome.horizon} epochs: ${shares}`
    : `No: runs without it come to 99 %: ${shares}`;
}

function logits({ plan, runs, tested }) {
  const one = tested.get('logit');
  if (one.verdict === 'undecided') return describeVerdict(one);
  const slower = {
    supported: `slower to 99 % by ${gapText(one.difference)} epochs`,
    opposite: `faster to 99 % by ${gapText(one.difference, -1)} epochs`,
    'not shown': `not shown to be slower to 99 % (${gapText(one.difference)} epochs)`,
  }[one.verdict];
  const { difference, interval } = finalsOf(plan, runs, 'decay-1/logit', 'decay-1/none');
  const points = gapText({ value: 100 * difference, interval: interval?.map((x) => 100 * x) });
  const worse = interval !== null && interval[1] < 0 ? 'worse' : 'not shown to be worse';
  return `${slower}, p ${pText(one)}, n = ${one.seeds.length}; at the end ${worse}: ${points} points`;
}

function features({ plan, runs, tested }) {
  const answers = ['feature', 'feature against logit'].map((name) => {
    const one = tested.get(name);
    if (one.verdict === 'undecided') return `${one.against}: ${describeVerdict(one)}`;
    const late = compareTimes(plan, runs, [one.arm, one.against], at(plan, 0.99));
    const sentence = { supported: 'faster', opposite: 'slower', 'not shown': 'not shown' }[
      one.verdict
    ];
    return `than ${one.against}: ${sentence}, ${gapText(one.difference)} epochs to 50 % and ${gapText(late.difference)} to 99 %, p ${pText(one)}, n = ${one.seeds.length}`;
  });
  return answers.join('; ');
}

function distilling({ plan, runs, tested }) {
  const one = tested.get('feature without decay');
  if (one.verdict === 'undecided') return describeVerdict(one);
  const arms = ['feature', 'none', 'logit', 'attention'].map(
    (name) => `${name} ${rateText(summarizeTimes(runs, `decay-0/${name}`, at(plan, 0.99)))}`,
  );
  const sentence = {
    supported: 'No: hidden states are handed on without it',
    opposite: 'Hidden states hinder without it',
    'not shown': 'Not shown either way',
  }[one.verdict];
  return `${sentence}: ${gapText(one.difference)} epochs to 50 %, p ${pText(one)}, n = ${one.seeds.length}; to 99 %: ${arms.join(', ')}`;
}

const at = (plan, threshold) => ({ threshold, horizon: plan.hypotheses.outcome.horizon });
const pText = ({ adjusted }) => (adjusted < 0.0001 ? '< .0001' : adjusted.toFixed(4).slice(1));
const rateText = ({ reached, ended, rate }) =>
  `${reached} of ${ended} (${rate.map((share) => share.toFixed(2)).join(' … ')})`;

function gapText({ value, interval }, sign = 1) {
  const show = (x) => (sign * x).toFixed(1).replace('-', '−');
  const ends = interval?.map((x) => sign * x).sort((a, b) => a - b);
  return ends
    ? `${show(value)} (${ends.map((x) => x.toFixed(1).replace('-', '−')).join(' … ')})`
    : show(value);
}

/** Difference of final accuracies over the seeds where both finished. */
function finalsOf({ seeds }, runs, arm, against) {
  const finals = (name) =>
    new Map(
      runs
        .filter((run) => nameArm(run) === name && isFinished(run))
        .map(({ seed, record }) => [seed, record.finalValAccuracy]),
    );
  const [a, b] = [finals(arm), finals(against)];
  const both = seeds.filter((seed) => a.has(seed) && b.has(seed));
  return pairedT(
    both.map((seed) => a.get(seed)),
    both.map((seed) => b.get(seed)),
  );
}
