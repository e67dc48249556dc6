/** Studies on executors that fail, stop and report wrongly: tiny runs on the eager backend, in memory. */
import wasm from '@grok/backend-wasm';
import { createRegistry, memoryStore, type Registry, type Store } from '@grok/core';
import type { BoundJob } from '@grok/core/internal';
import data from '@grok/data';
import attention from '@grok/distill-attention';
import feature from '@grok/distill-feature';
import logit from '@grok/distill-logit';
import metrics from '@grok/metrics';
import model from '@grok/model';
import optim from '@grok/optim';
import { studyTable } from '@grok/report';
import {
  checkPlan,
  expandPlan,
  jobRunner,
  loadStudy,
  type Plan,
  queueExecutor,
  readJournal,
  runStudy,
  type StudyHost,
  selectRuns,
  studyToJson,
  summarize,
} from '@grok/study';
import { describe, expect, test } from 'vitest';
import { tinyPlan } from './tiny-plan.js';

const registry: Registry = createRegistry([
  ...[data, model, optim, wasm, metrics],
  ...[logit, attention, feature],
]);
const half = [
  { use: 'hard', weight: 0.5 },
  { use: 'logit', weight: 0.5 },
];
const plan: Plan = checkPlan(
  {
    ...tinyPlan,
    teachers: { memorised: { optimizer: { options: { weightDecay: 0 } } } },
    arms: {
      none: { objective: [{ use: 'hard' }] },
      logit: { objective: half },
      'logit-memorised': { objective: half, teachers: { teacher: 'memorised' } },
    },
    seeds: [0, 1, 2],
  },
  'tiny',
);

/** A study folder in memory, and an executor on it that counts. */
function study(options: { slots?: number; before?: (key: string) => 'fail' | undefined } = {}) {
  const stores = new Map<string, Store>();
  const open = (name: string): Store => {
    const store = stores.get(name) ?? memoryStore(name);
    stores.set(name, store);
    return store;
  };
  const root = memoryStore('study');
  const carryOut = jobRunner({ registry, open });
  const log: string[] = [];
  let most = 0;
  let now = 0;
  const readName = ({ folder, spec }: BoundJob): string =>
    `${spec.experiment.model.options?.dim === 8 ? 'teacher' : 'student'} ${folder}`;
  const executor = queueExecutor({
    name: 'counted',
    slots: options.slots ?? 2,
    open,
    async carryOut(job, how) {
      const { run, folder } = job;
      most = Math.max(most, ++now);
      try {
        log.push(`begin ${run}`);
        if (options.before?.(readName(job)) === 'fail')
          return { status: 'failed', error: 'the lamp went out', run, folder };
        return await carryOut(job, how);
      } finally {
        now--;
        log.push(`end ${run}`);
      }
    },
  });
  const host: StudyHost = { registry, root, open, executor, defaults: { backend: 'wasm' } };
  return { host, log, most: () => most, table: async (of: Plan = plan) => formatTable(of, host) };
}
async function formatTable(of: Plan, host: StudyHost): Promise<string> {
  return studyTable(of, await loadStudy(expandPlan(of), host), { style: 'text', times: false });
}
const whole = (async () => {
  const own = study({ slots: 1 });
  const result = await runStudy(plan, own.host);
  return { ...own, result, table: await own.table() };
})();

describe('runStudy', () => {
  test('checks a plan once (catches: a plan checked again before its first run)', async () => {
    const creates = async (isChecked: boolean): Promise<number> => {
      const { host } = study();
      let count = 0;
      const create: Registry['create'] = (...args) => {
        count++;
        return registry.create(...args);
      };
      await runStudy(plan, {
        ...{ ...host, isChecked, registry: { ...registry, create } },
        signal: AbortSignal.abort(),
      });
      return count;
    };
    expect(await creates(true)).toBeLessThan((await creates(false)) / 5);
  });
  test('trains teachers before their students, on one split, with no more runs at once than slots', async () => {
    const own = study({ slots: 3 });
    const { status, begun, runs } = await runStudy(plan, own.host);
    expect([status, begun, own.most()]).toEqual(['finished', 15, 3]);
    for (const { run: student, experiment } of runs)
      for (const { run } of Object.values(experiment.teachers ?? {})) {
        expect(own.log.indexOf(`end ${run}`)).toBeGreaterThan(-1);
        expect(own.log.indexOf(`end ${run}`)).toBeLessThan(own.log.indexOf(`begin ${student}`));
        const teacher = runs.find((other) => other.run === run);
        expect(teacher?.experiment.seed).toBe(experiment.seed);
      }
    const splits = runs.map(({ seed, record }) => `${seed} ${record!.splitHash}`);
    expect(new Set(splits).size).toBe(3);
    // Catches: a table that depends on the order in which runs finish.
    expect(await own.table()).toBe((await whole).table);
  });

  test('does nothing when called again', async () => {
    const { host, log } = await whole;
    const before = log.length;
    expect(await runStudy(plan, host)).toMatchObject({ status: 'finished', begun: 0 });
    expect(log.length).toBe(before);
  });

  test('interrupted again and again, gives the same table', async () => {
    // Catches: a run that starts over; a student that learned from a half-trained teacher.
    const own = study();
    let status = '';
    let rounds = 0;
    for (; status !== 'finished' && rounds < 50; rounds++) {
      const stop = new AbortController();
      let epochs = 0;
      ({ status } = await runStudy(plan, {
        ...own.host,
        signal: stop.signal,
        onEvent: (event) => {
          if (event.type === 'run' && event.event.type === 'epoch' && ++epochs === 3) stop.abort();
        },
      }));
    }
    expect(rounds).toBeGreaterThan(3);
    expect(await own.table()).toBe((await whole).table);
  });

  test('retries a failed run once, then continues without it and its students', async () => {
    const failures: string[] = [];
    const lamp = (name: string): 'fail' | undefined => {
      const isFirst = name.startsWith('teacher') && failures.every((other) => other === name);
      if (!isFirst || failures.length >= 2) return undefined;
      failures.push(name);
      return 'fail';
    };
    const own = study({ slots: 1, before: lamp });
    const { status, runs } = await runStudy(plan, own.host);
    const states = Object.fromEntries(runs.map(({ key, state }) => [key, state]));
    expect(status).toBe('failed');
    expect(states).toMatchObject({
      'teacher@0': 'failed',
      'logit@0': 'blocked',
      'none@0': 'finished',
    });
    expect(Object.values(states).filter((state) => state === 'finished')).toHaveLength(13);
    expect(await own.table()).toContain(
      'teacher@0: the lamp went out\nlogit@0: its teacher teacher@0 failed',
    );
    // Catches: a study that retries a hopeless run at every start.
    expect(await runStudy(plan, own.host)).toMatchObject({ status: 'failed', begun: 0 });
    const again = await runStudy(plan, { ...own.host, forgive: true });
    expect(again).toMatchObject({ status: 'finished', begun: 2 });
    expect(await own.table()).toBe((await whole).table);
  });

  test('accepts a run that failed once and then finished', async () => {
    const seen = new Set<string>();
    const own = study({
      before: (name) => {
        if (seen.has(name)) return undefined;
        seen.add(name);
        return 'fail';
      },
    });
    expect(await runStudy(plan, own.host)).toMatchObject({ status: 'finished', begun: 30 });
    expect(await own.table()).toBe((await whole).table);
  });

  test('trains runs shared by two overrides once', async () => {
    const overrides = { base: {}, other: { student: { batch: 16 } } };
    const both = checkPlan({ ...plan, seeds: [0], overrides }, 'both');
    const own = study({ slots: 4 });
    const { begun, runs } = await runStudy(both, own.host);
    expect(begun).toBe(8); // two teachers, and three arms for each
    expect(runs.map(({ state }) => state)).toEqual(Array(10).fill('finished'));
  });

  test('refuses two runs that differ only in length (catches: one used for the other)', async () => {
    const overrides = { base: {}, short: { student: { epochs: 1 } } };
    const both = checkPlan({ ...plan, seeds: [0], overrides }, 'both');
    await expect(runStudy(both, study().host)).rejects.toThrow(
      /base\/none@0 and short\/none@0 are the same run with different lengths, \d+ epochs and 1 epoch; use one length/,
    );
  });

  test('continues a run whose length was increased (catches: a shorter run used for it)', async () => {
    const short = checkPlan({ ...plan, seeds: [0] }, 'short');
    const own = study({ slots: 4 });
    await runStudy(short, { ...own.host, only: ['none'] });
    const longer = { ...short, student: { ...short.student, epochs: 3 } };
    const states = (await loadStudy(expandPlan(longer), own.host)).map((run) => run.state);
    expect(states).toContain('interrupted');
    expect(states).not.toContain('finished');
  });

  test('runs only what is selected, with the required teachers', async () => {
    const own = study();
    const { runs } = await runStudy(plan, { ...own.host, only: ['logit@1'] });
    expect(runs.map(({ key, state }) => [key, state])).toEqual([
      ['teacher@1', 'finished'],
      ['logit@1', 'finished'],
    ]);
    expect(selectRuns(expandPlan(plan), ['@2', 'none'])).toEqual([
      ...['none@0', 'none@1', 'teacher@2', 'memorised@2', 'none@2', 'logit@2', 'logit-memorised@2'],
    ]);
    expect(() => selectRuns(expandPlan(plan), ['logit@9'])).toThrow(
      'unknown run in --only "logit@9"',
    );
  });

  test('does not trust an executor that contradicts the folder (catches: retrying forever)', async () => {
    const { host } = study();
    const { open } = host;
    const liar = queueExecutor({
      ...{ name: 'liar', slots: 1, open },
      carryOut: async ({ run, folder }) => ({ status: 'finished', run, folder }),
    });
    await expect(runStudy(plan, { ...host, executor: liar })).rejects.toThrow(
      'executor "liar": reports teacher@0 as finished, but',
    );
  });

  test('refuses another plan in the same folder, and bad input before anything is written', async () => {
    const { host } = await whole;
    await expect(runStudy({ ...plan, seeds: [7] }, host)).rejects.toThrow('contains another plan');
    const own = study();
    const bad = { ...plan, arms: { ...plan.arms, odd: { objective: [{ use: 'logti' }] } } };
    await expect(runStudy(bad, own.host)).rejects.toThrow('tiny, odd: unknown strategy "logti"');
    const foreign = { ...plan.teacher, task: { use: 'sub', options: { p: 5 } } };
    await expect(runStudy({ ...plan, teacher: foreign }, own.host)).rejects.toThrow(
      /tiny, logit: teacher "teacher": was trained on another task \({"use":"sub","options":{"p":5}}, this run's is .*both must have the same rows/,
    );
    expect(await own.host.root.list('')).toEqual([]);
  });
});

test('a partial line in the journal is removed, not joined with the next one', async () => {
  const { host } = study();
  await runStudy(plan, { ...host, only: ['none@0'] });
  await host.root.append('journal.jsonl', new TextEncoder().encode('{"type":"beg'));
  await runStudy(plan, { ...host, only: ['none@1'] });
  const lines = await readJournal(host.root);
  expect(lines.map(({ type }) => type)).toEqual(['begin', 'end', 'begin', 'end']);
});

describe('summarize', () => {
  test('corrects only the family, and labels the others', async () => {
    const { comparisons, arms } = summarize(plan, (await whole).result.runs);
    expect(arms.map(({ name, finished }) => [name, finished])).toEqual([
      ...[
        ['teacher', 3],
        ['memorised', 3],
        ['none', 3],
        ['logit', 3],
        ['logit-memorised', 3],
      ],
    ]);
    expect(comparisons.map(({ arm, measure, kind }) => [arm, measure, kind])).toEqual([
      ['logit', 'epochs to 99 %', 'primary'],
      ['logit', 'final validation accuracy', 'exploratory'],
      ['logit-memorised', 'epochs to 99 %', 'exploratory'],
      ['logit-memorised', 'final validation accuracy', 'exploratory'],
    ]);
    expect(comparisons.filter(({ holm }) => holm !== null)).toHaveLength(1);
  });
  test('counts runs that never grok as censored', async () => {
    const runs = (await whole).result.runs.map((run) => ({
      ...run,
      record: {
        ...run.record!,
        epochs: run.name === 'teacher' && run.seed === 0 ? 80 : 100,
        epochsTo: { '0.5': 1, '0.9': 2, '0.99': run.name === 'logit' ? 40 + run.seed : null },
      },
    }));
    const { comparisons, arms } = summarize(plan, runs);
    expect(arms.find(({ name }) => name === 'none')?.epochsTo['0.99']).toMatchObject({
      ...{ reached: 0, of: 3, median: null, restrictedMean: 100, horizon: 100 },
    });
    // Catches: a teacher that stopped early treated as observed to the end.
    expect(arms.find(({ name }) => name === 'teacher')?.epochsTo['0.99']).toMatchObject({
      ...{ reached: 0, median: null, restrictedMean: 80, horizon: 80 },
    });
    expect(comparisons[0]).toMatchObject({ arm: 'logit', n: 3, difference: -59, rankBiserial: -1 });
    expect(comparisons[0]?.logRankP).toBeCloseTo(0.0246, 3);
  });
  test('as JSON has all machine-dependent values under `time`', async () => {
    const strip = ({ runs, ...rest }: ReturnType<typeof studyToJson>) => ({
      ...rest,
      runs: runs.map(({ time: _, ...run }) => run),
    });
    const own = study();
    await runStudy(plan, own.host);
    const [a, b] = await Promise.all(
      [own.host, (await whole).host].map(async (host) =>
        strip(studyToJson(plan, await loadStudy(expandPlan(plan), host))),
      ),
    );
    expect(a).toEqual(b);
    expect(JSON.stringify(a)).not.toMatch(/seconds|peakMemory/);
  });
});
