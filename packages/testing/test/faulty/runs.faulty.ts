/** One deliberately faulty executor or tracker for each thing that the suites promise to find, and sound ones. */
import wasm from '@grok/backend-wasm';
import {
  type ComponentDefinition,
  createRegistry,
  defineTracker,
  type Executor,
  memoryStore,
  type RunEvent,
  type Store,
  schema,
  type Tracker,
  text,
} from '@grok/core';
import data from '@grok/data';
import logit from '@grok/distill-logit';
import model from '@grok/model';
import optim from '@grok/optim';
import { inlineExecutor } from '@grok/study';
import { executorSuite, trackerSuite } from '../../src/index.js';

const registry = createRegistry([data, model, optim, logit, wasm]);
type Run = Executor['run'];
type Change = (inline: Executor, open: (folder: string) => Store) => Partial<Executor>;
function executor(name: string, change: Change = () => ({})): void {
  executorSuite(name, () => {
    const stores = new Map<string, Store>();
    const open = (folder: string): Store => {
      const store = stores.get(folder) ?? memoryStore(folder);
      stores.set(folder, store);
      return store;
    };
    const inline = inlineExecutor({ registry, open });
    return { executor: { ...inline, ...change(inline, open) }, open };
  });
}
executor('sound');
executor('slotless', () => ({ slots: 0 }));
executor('elsewhere', ({ run }) => ({
  run: (job, how) => run({ ...job, folder: `work/${job.folder}` }, how),
}));
const emptied =
  (run: Run, open: (folder: string) => Store): Run =>
  async (job, how) => {
    const store = open(job.folder);
    for (const folder of ['', 'checkpoints'])
      for (const file of await store.list(folder))
        await store.remove(folder === '' ? file : `${folder}/${file}`);
    return run(job, how);
  };
executor('anew', ({ run }, open) => ({ run: emptied(run, open) }));
executor('backwards', ({ run }) => ({
  async run(job, { signal, listener }) {
    const heard: RunEvent[] = [];
    const outcome = await run(job, { signal, listener: (event) => void heard.push(event) });
    for (const event of heard.reverse()) listener?.(event);
    return outcome;
  },
}));
executor('touchy', ({ run }) => ({
  async run(job, { signal, listener }) {
    const heard: RunEvent[] = [];
    const outcome = await run(job, { signal, listener: (event) => void heard.push(event) });
    for (const event of heard) listener?.(event);
    return outcome;
  },
}));
executor('rejecting', ({ run }) => ({
  async run(job, how) {
    const outcome = await run(job, how);
    if (outcome.status === 'failed') throw new Error(outcome.error);
    return outcome;
  },
}));
executor('silent', ({ run }) => ({
  async run(job, how) {
    const outcome = await run(job, how);
    return outcome.status === 'failed' ? { status: 'failed', error: 'exit code 1' } : outcome;
  },
}));
executor('deaf', ({ run }) => ({
  run: (job, { listener }) =>
    run(job, {
      signal: new AbortController().signal,
      ...(listener === undefined ? {} : { listener }),
    }),
}));
executor('late', ({ run }) => ({
  run: (job, { signal, ...how }) =>
    run(job, { ...how, signal: signal.aborted ? new AbortController().signal : signal }),
}));
executor('mixing', ({ run }) => {
  let folder = '';
  return {
    slots: 2,
    async run(job, how) {
      ({ folder } = job);
      await Promise.resolve();
      return run({ ...job, folder }, how);
    },
  };
});
executor('teacherless', ({ run }) => ({
  run({ spec, ...job }, how) {
    const { teachers: _, ...execution } = spec.execution ?? {};
    return run({ ...job, spec: { ...spec, execution } }, how);
  },
}));

/** Epochs that were sent, by run: what a server would hold. */
const server = new Map<string, number[]>();
const recorded = ({ run }: { run: string }): number[] => server.get(run) ?? [];
const sound: Tracker = ({ run }) => {
  const epochs = server.get(run) ?? [];
  server.set(run, epochs);
  return {
    on(event) {
      if (event.type === 'start') epochs.splice(event.from.epoch);
      if (event.type === 'epoch') epochs.push(event.row.epoch);
    },
    finish() {},
  };
};
trackerSuite(
  'sound',
  defineTracker({
    name: 'sound',
    summary: 'Epochs by run.',
    options: schema({ project: text().default('grok') }),
    create: () => sound,
  }),
  { recorded, refuses: [{ project: 1 }] },
);
const lax: ComponentDefinition<'tracker'> = {
  ...{ kind: 'tracker', name: 'lax', summary: 'Takes any option.' },
  options: { type: 'object' },
  create: () => sound,
};
trackerSuite('lax', lax, { recorded });
trackerSuite(
  'forgetful',
  (run) => {
    const { on, finish } = sound(run) as Awaited<ReturnType<Tracker>>;
    let next: RunEvent | undefined;
    return {
      on(event) {
        if (event.type !== 'epoch') return on(event);
        if (next !== undefined) on(next);
        next = event;
      },
      finish,
    };
  },
  { recorded },
);
trackerSuite(
  'hopeful',
  (run) => {
    const { on, finish } = sound(run) as Awaited<ReturnType<Tracker>>;
    return {
      on(event) {
        if (event.type === 'end' && event.status !== 'finished') throw new Error(event.status);
        return on(event);
      },
      finish,
    };
  },
  { recorded },
);
trackerSuite(
  'hasty',
  (run) => {
    const { on } = sound(run) as Awaited<ReturnType<Tracker>>;
    let session: { close(): void } | undefined;
    return {
      on(event) {
        session = { close: () => {} };
        return on(event);
      },
      finish: () => session!.close(),
    };
  },
  { recorded },
);
trackerSuite(
  'rounding',
  (run) => {
    const { on, finish } = sound(run) as Awaited<ReturnType<Tracker>>;
    return {
      on(event) {
        if (event.type === 'step') event.loss = Math.round(event.loss * 10) / 10;
        return on(event);
      },
      finish,
    };
  },
  { recorded },
);
let current: Awaited<ReturnType<Tracker>>;
trackerSuite(
  'mixing',
  async (run) => {
    current = await sound(run);
    return { on: (event) => current.on(event), finish: () => current.finish() };
  },
  { recorded },
);
trackerSuite(
  'repeating',
  ({ run }) => ({
    on(event) {
      if (event.type === 'epoch') server.set(run, [...recorded({ run }), event.row.epoch]);
    },
    finish() {},
  }),
  { recorded },
);
