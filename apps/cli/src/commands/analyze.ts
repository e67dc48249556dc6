import { join } from 'node:path';
import {
  type Analysis,
  type At,
  analyzeAsPublished,
  analyzeRun,
  analyzeStudy,
  PUBLISHED_FILE,
  parseMoment,
} from '@grok/analysis';
import { type Backend, InputError, type Json, openBackend } from '@grok/core';
import { type ProbeUse, writeJson } from '@grok/core/internal';
import { formatLabel } from '@grok/report';
import { type BegunRun, nameStrategies } from '@grok/study';
import type { Command } from 'commander';
import {
  type ComputeFlags,
  computeFlags,
  examples,
  GROUP,
  outputFlags,
  repeatableOption,
} from '../flags.js';
import { type OpenedFolder, openFolder, openRunFolder, teacherFolder } from '../folders.js';
import { EXIT, human } from '../host.js';
import type { Io, Sink } from '../io.js';
import { parseStrategy } from '../parse.js';
import { openRegistry, withRecordedPlugins } from '../plugins.js';
import { readingExecution } from '../spec.js';

interface Flags extends ComputeFlags {
  readonly against?: string;
  readonly probe: readonly string[];
  readonly at: readonly string[];
  readonly asPublished?: boolean;
  readonly missing?: boolean;
}

/** `grok analyze`: what is inside a run, or every run of a study. */
export function analyze(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('analyze').helpGroup('Look:').optionsGroup(GROUP.look);
  command
    .description('analyze a run or every run of a study, and compare it with its teacher')
    .argument('<dir>', 'the run’s folder, or a study’s')
    .option('--against <dir>', 'run to compare with (default: the run’s own teacher)')
    .addOption(repeatableOption('--probe <name[:key=value,…]>', 'only this probe', 'all'))
    .addOption(
      repeatableOption(
        '--at <moment>',
        'crossing, crossing+STEPS, last or a step',
        'crossing and last',
      ),
    )
    .option('--as-published', 'hidden states 0 and 1 on the first 500 training rows')
    .option('--missing', 'of a study, only what has not been analyzed yet');
  examples(
    outputFlags(computeFlags(command)),
    'analyze runs/student',
    'analyze runs/student --at crossing+500 --probe fourier',
  ).action(async (folder: string, flags: Flags) => {
    const opened = await openFolder(folder, io);
    const registry = await openRegistry(flags.plugin, io);
    const backend = await openBackend(
      registry,
      readingExecution(opened.runs[0]!.config.execution ?? {}, flags, io),
    );
    const { teacherStores } = opened;
    const host = { registry, backend, teacherStores, signal: io.signal };
    try {
      const result = await withRecordedPlugins([folder], flags, registry, io, () =>
        opened.single
          ? analyzeOne(opened, host, flags, io)
          : analyzeFolder(opened, host, flags, io),
      );
      if (flags.json === true) io.out.write(`${JSON.stringify(result)}\n`);
      done(EXIT.ok);
    } finally {
      await (backend as Backend).dispose();
    }
  });
}

type Host = Parameters<typeof analyzeRun>[0];

function readOptions(flags: Flags): { at?: readonly At[]; probes?: readonly ProbeUse[] } {
  return {
    ...(flags.at.length === 0 ? {} : { at: flags.at.map(parseMoment) }),
    ...(flags.probe.length === 0 ? {} : { probes: flags.probe.map((text) => parseStrategy(text)) }),
  };
}

async function analyzeOne(opened: OpenedFolder, host: Host, flags: Flags, io: Io): Promise<object> {
  const run = { ...opened.runs[0]!, name: nameStrategies(opened.runs[0]!.config.experiment) };
  const from = flags.against ?? teacherFolder(run, io);
  const against = from === undefined ? undefined : await openRunFolder(from, io);
  const missed: At[] = [];
  const options = {
    ...readOptions(flags),
    ...(against === undefined ? {} : { against }),
    notice: opened.onSkipped,
  };
  const analyses = await analyzeRun(host, run, options, (at) => missed.push(at));
  const sink = human(io, flags);
  tell(sink, run.store.where, analyses, missed);
  if (run.manifest.status !== 'finished') {
    sink.write(`${PUBLISHED_FILE} needs finished runs: skipped\n`);
    return { analyses, leftOut: opened.leftOut, out: run.store.where };
  }
  const pair: readonly [BegunRun, readonly BegunRun[]] =
    against === undefined ? [run, []] : [against, [run]];
  const published = await analyzeAsPublished(host, ...pair, flags);
  await writeJson(run.store, `analysis/${PUBLISHED_FILE}`, published);
  sink.write(`${join(run.store.where, 'analysis', PUBLISHED_FILE)}\n`);
  return { analyses, published, leftOut: opened.leftOut, out: run.store.where };
}

async function analyzeFolder(
  opened: OpenedFolder,
  host: Host,
  flags: Flags,
  io: Io,
): Promise<object> {
  if (flags.against !== undefined)
    throw new InputError(
      '--against: works only for a single run; in a study each run has its own teacher',
    );
  const sink = human(io, flags);
  const label = (run: BegunRun): string => `${formatLabel(run)}, seed ${run.seed}`;
  let count = 0;
  await analyzeStudy(host, opened.root, opened.runs, {
    ...readOptions(flags),
    asPublished: flags.asPublished === true,
    missing: flags.missing === true,
    tell: (run, analyses, missed) => {
      count += analyses.length;
      if (flags.quiet !== true) tell(sink, `${label(run)}: ${run.store.where}`, analyses, missed);
    },
    notice: (run, message) => opened.onSkipped(`${label(run)}: ${message}`),
  });
  const { leftOut, root } = opened;
  const runs = new Set(opened.runs.map(({ run }) => run)).size;
  return { runs, analyses: count, leftOut, out: root.where };
}

/** Where an analysis went, and what is first asked of it. */
function tell(
  sink: Sink,
  label: string,
  analyses: readonly Analysis[],
  missed: readonly At[],
): void {
  for (const { moment, epoch, step, replayedFrom, frequencies, probes } of analyses) {
    const replayed = replayedFrom === step ? '' : `, replayed from step ${replayedFrom}`;
    const keys = frequencies === null ? '' : `, key frequencies ${frequencies.join(' ') || 'none'}`;
    const found = `${keys}${formatExplained(probes.fourier)}`;
    sink.write(`${label}: ${moment}, epoch ${epoch}, step ${step}${replayed}${found}\n`);
  }
  for (const at of missed)
    sink.write(
      `${label}: never reached ${typeof at === 'object' && 'crossing' in at ? `${100 * at.crossing} % of validation accuracy` : JSON.stringify(at)}\n`,
    );
}

/** Of each block's neurons, the share that one frequency explains; empty where the probe was not asked. */
function formatExplained(fourier: Json | undefined): string {
  const { neurons = {} } = (fourier ?? {}) as { neurons?: Record<string, { explained: number }> };
  const shares = Object.values(neurons).map(({ explained }) => `${(100 * explained).toFixed(1)} %`);
  return shares.length === 0 ? '' : `, neurons explained ${shares.join(' ')}`;
}
