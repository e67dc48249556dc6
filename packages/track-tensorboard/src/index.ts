/** Event files for TensorBoard, in each run's own folder: `tensorboard --logdir runs` shows them all. */
import {
  type Component,
  definePlugin,
  defineTracker,
  flag,
  type HostArray,
  listOf,
  type MetricsRow,
  type Plugin,
  type Store,
  schema,
  type TrackedRun,
  text,
} from '@grok/core';
import type { Checkpoint } from '@grok/core/internal';
import {
  createTracker,
  type KnownRun,
  listConfig,
  listScalars,
  type TrackingSession,
} from '@grok/track';
import {
  histogramsEvent,
  hparamsEndEvent,
  hparamsStartEvent,
  picturesEvent,
  readStep,
  scalarsEvent,
  textEvent,
  versionEvent,
} from './events.js';
import { countBins } from './histogram.js';
import { drawMatrix } from './picture.js';
import { encodeTfRecord, readRecords } from './records.js';

/** Options of `tensorboard`. */
export interface TensorBoardOptions {
  /** Draws a histogram of every parameter at every checkpoint, default true. */
  readonly histograms?: boolean;
  /** Parameters of two dimensions that are drawn at every checkpoint, default the embedding. */
  readonly pictures?: string[];
}

/** The tracker `tensorboard`. */
export const tensorboard: Component<'tracker', TensorBoardOptions> = defineTracker({
  name: 'tensorboard',
  summary: 'Event files for TensorBoard in the run’s folder.',
  options: schema({
    histograms: flag().default(true),
    pictures: listOf(text()).default(['embed.W_E']),
  }),
  create: (options) => createTracker((run, known) => openEvents(run, known, options)),
});

interface Shown {
  readonly histograms: boolean;
  readonly pictures: readonly string[];
}

async function openEvents(
  run: TrackedRun,
  known: KnownRun,
  shown: Shown,
): Promise<TrackingSession> {
  const { store } = run;
  const second = Math.floor(known.begun / 1000);
  const file =
    known.id ?? `tensorboard/events.out.tfevents.${String(second).padStart(10, '0')}.grok`;
  const step = await mend(store, file);
  const write = async (...events: readonly Uint8Array[]): Promise<void> =>
    store.append(file, concat(events.map(encodeTfRecord)));
  const now = (): number => Date.now() / 1000;
  if (step === undefined)
    await write(versionEvent(now()), hparamsStartEvent(now(), listConfig(run), nameGroup(run)));
  let last = step ?? 0;
  return {
    id: file,
    step: last,
    async send(rows: readonly MetricsRow[]) {
      await write(...rows.map((row) => scalarsEvent(now(), row.step, listScalars(row))));
      last = rows.at(-1)?.step ?? last;
    },
    async sendParameters(checkpoint) {
      const events = describeParameters(checkpoint, shown, now());
      if (events.length > 0) await write(...events);
    },
    async sendArtifact(path, bytes) {
      const text = new TextDecoder().decode(bytes);
      await write(
        textEvent(now(), last, path.replace(/\.json$/, ''), `\`\`\`json\n${text}\n\`\`\``),
      );
    },
    async close(status) {
      if (status !== undefined) await write(hparamsEndEvent(now(), status === 'failed'));
    },
  };
}

/** Cuts off what a kill left half written. Returns the last step of the file; undefined where it has no record. */
async function mend(store: Store, file: string): Promise<number | undefined> {
  const records = readRecords((await store.read(file)) ?? new Uint8Array());
  await store.truncate(file, records.at(-1)?.end ?? 0);
  if (records.length < 2) {
    await store.truncate(file, 0);
    return undefined;
  }
  return records.reduce((most, { bytes }) => Math.max(most, readStep(bytes)), 0);
}

/** Runs that differ in their seed alone. */
function nameGroup({ study, slug, experiment }: TrackedRun): string {
  return study === undefined
    ? slug.replace(`-s${experiment.seed}`, '')
    : `${study.name}/${study.arm}`;
}

function describeParameters(
  { params, position: { step } }: Checkpoint,
  { histograms, pictures }: Shown,
  time: number,
): readonly Uint8Array[] {
  const entries = Object.entries(params);
  const drawn = entries.filter(
    ([name, { shape }]) => pictures.includes(name) && shape.length === 2,
  );
  const named = <T>(
    prefix: string,
    found: readonly (readonly [string, HostArray])[],
    describe: (value: HostArray) => T,
  ): Record<string, T> =>
    Object.fromEntries(found.map(([name, value]) => [`${prefix}/${name}`, describe(value)]));
  return [
    ...(histograms
      ? [
          histogramsEvent(
            time,
            step,
            named('parameters', entries, ({ data }) => countBins(data)),
          ),
        ]
      : []),
    ...(drawn.length > 0 ? [picturesEvent(time, step, named('pictures', drawn, drawMatrix))] : []),
  ];
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The tracker, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/track-tensorboard',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [tensorboard],
});
export default plugin;
