/** Tables of the exploratory studies: seeds 0 to 9, 150 epochs, from the runs in docs/results/*.json. */
import { readFileSync } from 'node:fs';
import {
  holm,
  kaplanMeier,
  logRank,
  median,
  medianTime,
  pairedT,
  summarize,
  wilcoxon,
  wilson,
} from '@grok/study';

const THRESHOLDS = ['0.5', '0.9', '0.95', '0.99', '0.999'];
const STRATEGIES = ['logit', 'attention', 'feature'];
const LABELS = {
  teacher: 'teacher',
  none: 'none: a student without a teacher',
  all: 'all three at once',
  'logit-memorised': 'logit, from a teacher that only memorised',
  'logit-shuffled': 'logit, from a teacher of shuffled labels',
};
const PAPER = {
  epochs: {
    teacher: '70–90',
    none: 'never trained',
    logit: '123',
    attention: '121',
    feature: '91',
  },
  final: { teacher: '100.00', logit: '99.98', attention: '99.96', feature: '100.00' },
};
const README_ROWS = [
  ['teacher', 'teacher, width 128'],
  ['none', 'student without a teacher, width 64'],
  ['logit', '… distilled from logits'],
  ['attention', '… from attention patterns'],
  ['feature', '… from hidden states'],
];

/** @param {string} name a preset */
export const planOf = (name) =>
  JSON.parse(readFileSync(new URL(`../../apps/cli/presets/${name}.json`, import.meta.url), 'utf8'));

/** The summary of a study's runs, recomputed from its file. */
export function summaryOf(file) {
  const runs = file.runs.map(({ override, result, ...run }) => ({
    ...run,
    ...(override === null ? {} : { override }),
    ...(result === null ? {} : { record: result }),
  }));
  return summarize(planOf(file.name), runs);
}

/** The named tables as Markdown. */
export function tablesOf(study, decay) {
  return {
    epochs: epochsTable(study),
    final: finalTable(study),
    thresholds: thresholdsTable(study),
    primary: primaryTable(study),
    decay: decayTable(study, decay),
    readme: readmeTable(study),
  };
}

/** The results of an arm by seed. */
function resultsOf({ runs }, name, override = null) {
  const own = runs.filter((run) => run.name === name && run.override === override);
  return own.sort((a, b) => a.seed - b.seed).map(({ result }) => result);
}

/** Names in file order. */
const namesOf = ({ runs }) => [...new Set(runs.map(({ name }) => name))];

/** Results as times to a threshold; a run that never reached it is censored at its end. */
export function durations(results, threshold) {
  return results.map(({ epochs, epochsTo: { [threshold]: epoch } }) =>
    epoch === null ? { time: epochs, observed: false } : { time: epoch, observed: true },
  );
}

function grid(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |');
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

const percent = (share) => (100 * share).toFixed(2);
const signed = (x) => x.toFixed(1).replace('-', '−');
const probability = (p) =>
  p === null ? '–' : p < 0.0001 ? '< .0001' : p.toPrecision(2).replace(/^0/, '');

/** Arms with a table row: the teacher, and all arms with the students' number of epochs. */
const rowsOf = (study) =>
  namesOf(study).filter((name) => !['memorised', 'shuffled'].includes(name));

function epochsTable(study) {
  const rows = rowsOf(study).map((name) => {
    const own = resultsOf(study, name);
    const times = durations(own, '0.99');
    const middle = medianTime(kaplanMeier(times));
    return [
      LABELS[name] ?? name,
      times.map(({ time, observed }) => (observed ? time : '–')).join(' / '),
      shareText(times),
      middle ?? `> ${Math.max(...own.map(({ epochs }) => epochs))}`,
      PAPER.epochs[name] ?? '',
    ];
  });
  return grid(
    ['run', 'by seed, 0 to 9', 'came to it', 'median (Kaplan–Meier)', 'the paper’s'],
    rows,
  );
}

/** The number that reached it, with Wilson's interval of the rate. */
function shareText(times) {
  const reached = times.filter(({ observed }) => observed).length;
  const ends = wilson(reached, times.length).map((share) => share.toFixed(2));
  return `${reached} (${ends.join(' … ')})`;
}

function finalTable(study) {
  const rows = rowsOf(study).map((name) => {
    const finals = resultsOf(study, name).map(({ finalValAccuracy }) => finalValAccuracy);
    return [
      name === 'none' ? name : (LABELS[name] ?? name),
      finals.map(percent).join(' / '),
      percent(median(finals)),
      PAPER.final[name] ?? '',
    ];
  });
  return grid(['run', 'by seed, 0 to 9', 'median', 'the paper’s'], rows);
}

function thresholdsTable(study) {
  const pairs = [...[...STRATEGIES, 'all'].map((name) => [name, 'none']), ['feature', 'logit']];
  const timesTo = (name, threshold) => durations(resultsOf(study, name), threshold);
  const rows = THRESHOLDS.map((threshold) => {
    const cells = pairs.map(([name, against]) => {
      const [own, base] = [timesTo(name, threshold), timesTo(against, threshold)];
      const { difference, interval, p } = pairedT(timesOf(own), timesOf(base));
      const never = own.filter(({ observed }) => !observed).length;
      const ends = interval.map(signed).join(' … ');
      return `${signed(difference)} (${ends}; ${probability(p)}; ${probability(logRank(own, base).p)}; ${never})`;
    });
    const never = timesTo('none', threshold).filter((each) => !each.observed).length;
    return [`${100 * Number(threshold)} %`, ...cells, never];
  });
  const heads = pairs.map(([name, against]) => `${LABELS[name] ?? name} − ${against}`);
  return grid(['to', ...heads, 'never, of ten without a teacher'], rows);
}

function primaryTable(study) {
  const base = durations(resultsOf(study, 'none'), '0.99');
  const found = STRATEGIES.map((name) => {
    const own = durations(resultsOf(study, name), '0.99');
    const [a, b] = [timesOf(own), timesOf(base)];
    return { name, t: pairedT(a, b), w: wilcoxon(a, b).p, log: logRank(own, base).p };
  });
  const corrected = {
    t: holm(found.map(({ t }) => t.p)),
    w: holm(found.map(({ w }) => w)),
    log: holm(found.map(({ log }) => log)),
  };
  const rows = found.map(({ name, t }, i) => [
    `${name} − none`,
    signed(t.difference),
    t.interval.map(signed).join(' … '),
    ...['t', 'w', 'log'].map((test) => probability(corrected[test][i])),
  ]);
  return grid(
    [
      ...['', 'difference of restricted means, epochs', '95 % interval'],
      ...['p, paired t', 'p, Wilcoxon', 'p, log-rank'],
    ],
    rows,
  );
}

const timesOf = (durations) => durations.map(({ time }) => time);

function decayTable(study, decay) {
  const arms = ['none', ...STRATEGIES];
  const cell = (finals, withMost) =>
    `${percent(median(finals))}${withMost ? `, at most ${percent(Math.max(...finals))}` : ''}`;
  const row = (label, file, override) => [
    label,
    ...arms.map((name) =>
      cell(
        resultsOf(file, name, override).map(({ finalValAccuracy }) => finalValAccuracy),
        override !== null,
      ),
    ),
  ];
  return grid(
    ['decay', ...arms],
    [row('1 (above)', study, null), row('0.1', decay, 'decay-0.1'), row('0', decay, 'decay-0')],
  );
}

/** The README's table: medians at the paper's budget. */
function readmeTable(study) {
  const rows = README_ROWS.map(([name, label]) => {
    const own = resultsOf(study, name);
    const middle = medianTime(kaplanMeier(durations(own, '0.99')));
    const final = median(own.map(({ finalValAccuracy }) => finalValAccuracy));
    return [
      label,
      middle ?? `> ${Math.max(...own.map(({ epochs }) => epochs))}`,
      PAPER.epochs[name] ?? '',
      `${percent(final)} %`,
      PAPER.final[name] === undefined ? '' : `${PAPER.final[name]} %`,
    ];
  });
  return grid(
    ['run', 'epochs to 99 % validation', "the paper's", 'final accuracy', "the paper's"],
    rows,
  );
}
