/** One deliberately faulty task, probe or store for each fault that the suites must find, and correct ones. */
import {
  type ComponentDefinition,
  defineTask,
  integer,
  memoryStore,
  type Probe,
  type Store,
  schema,
  type Task,
} from '@grok/core';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { fakeSnapshot, i32, probeSuite, storeSuite, taskSuite } from '../../src/index.js';

tf.env().set('IS_TEST', true);

const parity = (bits: number): Task => ({
  vocabulary: 2,
  inputs: i32(
    [2 ** bits, bits],
    Array.from({ length: 2 ** bits * bits }, (_, i) => (Math.floor(i / bits) >> (i % bits)) & 1),
  ),
  labels: Int32Array.from(
    { length: 2 ** bits },
    (_, row) => (row.toString(2).split('1').length % 2) ^ 1,
  ),
  show: (row) => `parity of ${row}`,
});
const sound = defineTask({
  name: 'sound',
  summary: 'Parity of bits.',
  options: schema({ bits: integer().min(1).default(3) }),
  create: ({ bits }) => parity(bits),
});
taskSuite('sound', sound, { refuses: [{ bits: 0 }] });
const lax: ComponentDefinition<'task'> = {
  kind: 'task',
  name: 'lax',
  summary: 'Takes any option.',
  options: { type: 'object' },
  create: () => parity(3),
};
taskSuite('lax', lax, { refuses: [{ bits: 0 }] });
const good = parity(3);
taskSuite('short', { ...good, inputs: { ...good.inputs, shape: [8, 4] } });
taskSuite('from-one', { ...good, labels: good.labels.map((label) => label + 1) });
taskSuite('wide', {
  ...good,
  inputs: i32(
    [8, 3],
    good.inputs.data.map((x) => x * 2),
  ),
});
taskSuite('shifted', {
  ...good,
  inputs: i32([8, 3], [...good.inputs.data.slice(0, 12), ...good.inputs.data.slice(0, 12)]),
  labels: Int32Array.of(0, 1, 1, 0, 1, 1, 0, 0),
});
taskSuite(
  'dicing',
  {
    ...lax,
    create: () => ({
      ...good,
      inputs: i32(
        [8, 3],
        good.inputs.data.map(() => +(Math.random() < 0.5)),
      ),
    }),
  } as ComponentDefinition<'task'>,
  { ambiguous: true },
);
taskSuite('torn', { ...good, show: (row) => `row\n${row}` });
taskSuite('residues', { ...good, modular: { p: 1, op: 'add' } });

const probe: Probe = { needs: {}, when: 'end', on: ({ epoch }) => ({ epoch }) };
probeSuite('sound', probe);
probeSuite('never', { ...probe, when: { every: 0 } });
probeSuite('rowless', { ...probe, needs: { rows: -1 } }, { snapshot: () => fakeSnapshot() });
probeSuite('nan', { ...probe, on: () => ({ norm: Number.NaN }) });
let looks = 0;
probeSuite('counting', { ...probe, on: () => ({ looks: ++looks }) });
probeSuite('changing', {
  ...probe,
  on({ params }) {
    params['embed.W_E']!.data[0] = 7;
    return {};
  },
});
probeSuite('keeping', {
  ...probe,
  on({ params }) {
    tf.keep(tf.tensor(params['embed.W_E']!.data));
    return {};
  },
});

const faulty = (name: string, change: (sound: Store) => Partial<Store>): void =>
  storeSuite(name, () => {
    const store = memoryStore();
    return { ...store, ...change(store) };
  });
storeSuite('sound', () => memoryStore());
faulty('empty', (store) => ({
  read: async (path) => (await store.read(path)) ?? new Uint8Array(),
}));
faulty('aliasing', (store) => {
  const last = new Map<string, Uint8Array>();
  return {
    async write(path, bytes) {
      last.set(path, bytes);
      await store.write(path, bytes);
    },
    read: async (path) => last.get(path) ?? store.read(path),
  };
});
faulty('replacing', (store) => ({ append: store.write }));
faulty('deep', (store) => ({
  list: async (folder) => [
    ...(await store.list(folder)),
    ...(await store.list(`${folder || 'x'}/deep`)),
  ],
}));
faulty('escaping', (store) => ({
  read: (path) => store.read(path.replaceAll('..', 'up')),
}));
faulty('generous', () => ({
  lease: async () => ({ granted: true, renew: async () => {}, release: async () => {} }),
}));
faulty('eternal', (store) => ({ lease: (name) => store.lease(name, 3600) }));
faulty('colliding', (store) => ({
  write: (path, bytes) => store.write(path.replace(/\d$/, '0'), bytes),
}));
