/**
 * Makes the tables of docs/results/reproduction.md, and what docs/results/*.json say of their runs, anew from
 * the runs that those files hold.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  holm,
  kaplanMeier,
  logRank,
  median,
  medianTime,
  pairedT,
  summarize,
  wilcoxon,
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
const URL_OF = {
  study: new URL('../docs/results/study.json', import.meta.url),
  decay: new URL('../docs/results/study-decay.json', import.meta.url),
  docs: new URL('../docs/results/reproduction.md', import.meta.url),
};

/** @param {string} name a preset */
const planOf = (name) =>
  JSON.parse(readFileSync(new URL(`../apps/cli/presets/${name}.json`, import.meta.url), 'utf8'));

/** What a study's file says of its runs, computed anew. */
function summaryOf(file) {
  const runs = file.runs.map(({ override, result, ...run }) => ({
    ...run,
    ...(override === null ? {} : { override }),
    ...(result === null ? {} : { record: result }),
  }));
  return summarize(planOf(file.name), runs);
}

/** The named tables of docs/results/reproduction.md as Markdown. */
export function tablesOf(study, decay) {
  return {
    epochs: epochsTable(study),
    final: finalTable(study),
    thresholds: thresholdsTable(study),
    primary: primaryTable(study),
    decay: decayTable(study, decay),
  };
}

/** The text with every table between its markers replaced. */
export function withTables(text, tables) {
  return Object.entries(tables).reduce(
    (out, [name, table]) =>
      out.replace(
        new RegExp(`(<!-- results: ${name} -->\n)[^]*?(<!-- end -->)`),
        (_, head, end) => `${head}${table}\n${end}`,
      ),
    text,
  );
}

/** The results of an arm by seed. */
function resultsOf({ runs }, name, override = null) {
  const own = runs.filter((run) => run.name === name && run.override === override);
  return own.sort((a, b) => a.seed - b.seed).map(({ result }) => result);
}

/** Names in the file's order. */
const namesOf = ({ runs }) => [...new Set(runs.map(({ name }) => name))];

function durations(results, threshold) {
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

/** Arms that are tables' rows: the teacher, and all that have students' epochs. */
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
      times.filter(({ observed }) => observed).length,
      middle ?? `> ${Math.max(...own.map(({ epochs }) => epochs))}`,
      PAPER.epochs[name] ?? '',
    ];
  });
  return grid(
    ['run', 'by seed, 0 to 9', 'came to it', 'median (Kaplan–Meier)', 'the paper’s'],
    rows,
  );
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
  const arms = [...STRATEGIES, 'all'];
  const rows = THRESHOLDS.map((threshold) => {
    const base = durations(resultsOf(study, 'none'), threshold);
    const cells = arms.map((name) => {
      const own = durations(resultsOf(study, name), threshold);
      const { difference, p } = pairedT(timesOf(own), timesOf(base));
      const never = own.filter(({ observed }) => !observed).length;
      return `${signed(difference)} (${probability(p)}; ${probability(logRank(own, base).p)}; ${never})`;
    });
    return [`${100 * Number(threshold)} %`, ...cells, base.filter((each) => !each.observed).length];
  });
  return grid(
    ['to', ...arms.map((name) => LABELS[name] ?? name), 'never, of ten without a teacher'],
    rows,
  );
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

/** The files as they should be, by where they are. */
export function makeResults() {
  const [study, decay] = [URL_OF.study, URL_OF.decay].map((url) => {
    const file = JSON.parse(readFileSync(url, 'utf8'));
    return { ...file, ...summaryOf(file) };
  });
  const text = readFileSync(URL_OF.docs, 'utf8');
  return [
    [URL_OF.study, `${JSON.stringify(study, null, 2)}\n`],
    [URL_OF.decay, `${JSON.stringify(decay, null, 2)}\n`],
    [URL_OF.docs, withTables(text, tablesOf(study, decay))],
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [url, text] of makeResults()) writeFileSync(url, text);
  const { status } = spawnSync('npx', ['biome', 'format', '--write', 'docs/results'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}
