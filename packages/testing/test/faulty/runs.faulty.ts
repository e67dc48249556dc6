/** One deliberately faulty executor or tracker for each fault that the suites must find, and correct ones. */
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
import type { JobEvent, JobResult } from '@grok/core/internal';
import data from '@grok/data';
import logit from '@grok/distill-logit';
import model from '@grok/model';
import optim from '@grok/optim';
import { type JobWorkers, jobRunner, queueExecutor } from '@grok/study';
import { executorSuite, trackerSuite } from '../../src/index.js';

const registry = createRegistry([data, model, optim, logit, wasm]);
type CarryOut = JobWorkers['carryOut'];
type Open = (folder: string) => Store;
/** A fault in how an executor executes or handles jobs. */
interface Fault {
  readonly slots?: number;
  readonly carryOut?: (sound: CarryOut, open: Open) => CarryOut;
  readonly handle?: (sound: Executor) => Partial<Executor>;
}
function executor(
  name: string,
  { slots = 1, carryOut = (sound) => sound, handle = () => ({}) }: Fault = {},
): void {
  executorSuite(name, () => {
    const stores = new Map<string, Store>();
    const open: Open = (folder) => {
      const store = stores.get(folder) ?? memoryStore(folder);
      stores.set(folder, store);
      return store;
    };
    const sound = jobRunner({ registry, open });
    const queue = queueExecutor({ name, slots, open, carryOut: carryOut(sound, open) });
    return { executor: { ...bindMethods(queue), ...handle(queue) }, open };
  });
}
function bindMethods(executor: Executor): Executor {
  return {
    name: executor.name,
    slots: executor.slots,
    submit: (jobs, edges) => executor.submit(jobs, edges),
    watch: (listener) => executor.watch(listener),
    cancel: (keys) => executor.cancel(keys),
    collect: () => executor.collect(),
    dispose: () => executor.dispose(),
  };
}
executor('sound');
executor('slotless', { handle: () => ({ slots: 0 }) });
executor('elsewhere', {
  carryOut: (run) => async (job, how) => {
    const outcome = await run({ ...job, folder: `work/${job.folder}` }, how);
    return { ...outcome, folder: job.folder };
  },
});
executor('anew', {
  carryOut: (run, open) => async (job, how) => {
    const store = open(job.folder);
    for (const folder of ['', 'checkpoints'])
      for (const file of await store.list(folder))
        await store.remove(folder === '' ? file : `${folder}/${file}`);
    return run(job, how);
  },
});
executor('backwards', {
  carryOut: (run) => async (job, how) => {
    const heard: RunEvent[] = [];
    const outcome = await run(job, { ...how, listener: (event) => void heard.push(event) });
    for (const event of heard.reverse()) how.listener(event);
    return outcome;
  },
});
executor('touchy', {
  handle(sound) {
    const listeners: ((event: JobEvent) => void)[] = [];
    const heard: JobEvent[] = [];
    sound.watch((event) => void heard.push(event));
    return {
      watch(listener) {
        listeners.push(listener);
        return () => void listeners.splice(listeners.indexOf(listener), 1);
      },
      async collect() {
        const ended = await sound.collect();
        for (const event of heard.splice(0)) for (const listener of listeners) listener(event);
        return ended;
      },
    };
  },
});
executor('rejecting', {
  handle: (sound) => ({
    async collect() {
      const ended = await sound.collect();
      for (const { outcome } of ended)
        if (outcome.status === 'failed') throw new Error(outcome.error);
      return ended;
    },
  }),
});
executor('silent', {
  carryOut: (run) => async (job, how) => {
    const outcome = await run(job, how);
    return outcome.status === 'failed' ? { ...outcome, error: 'exit code 1' } : outcome;
  },
});
executor('deaf', { handle: () => ({ cancel: async () => {} }) });
executor('late', {
  handle(sound) {
    const begun = new Set<string>();
    sound.watch((event) => void begun.add(event.key));
    return {
      cancel: (keys = [...begun]) => sound.cancel(keys.filter((key) => begun.has(key))),
    };
  },
});
executor('mixing', {
  slots: 2,
  carryOut(run) {
    let folder = '';
    return async (job, how) => {
      ({ folder } = job);
      await new Promise((done) => setTimeout(done, 20));
      return run({ ...job, folder }, how);
    };
  },
});
executor('teacherless', {
  carryOut: (run) => (job, how) => {
    const { teachers: _, ...execution } = job.spec.execution ?? {};
    return run({ ...job, spec: { ...job.spec, execution } }, how);
  },
});
executor('edgeless', { handle: (sound) => ({ submit: (jobs) => sound.submit(jobs, []) }) });
executor('repeating', {
  handle(sound) {
    const before: JobResult[] = [];
    return {
      async collect() {
        const ended = await sound.collect();
        before.push(...ended);
        return ended.length === 0 ? [] : [...before];
      },
    };
  },
});
executor('doubling', {
  handle(sound) {
    let count = 0;
    return {
      submit: (jobs, edges) =>
        sound.submit(
          jobs.map((job) => (count++ === 0 ? job : { ...job, key: `${job.key} ${count}` })),
          edges,
        ),
    };
  },
});

/** Epochs received, by run, as on a server. */
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
