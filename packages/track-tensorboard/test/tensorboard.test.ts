/** Event files: every record whole, every number as the run has it. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { memoryStore, type Store, type TrackedRun } from '@grok/core';
import { fakeEvents, trackerSuite } from '@grok/testing';
import { expect, test } from 'vitest';
import { countBins } from '../src/histogram.js';
import { tensorboard } from '../src/index.js';
import { drawMatrix } from '../src/picture.js';
import { crc32c, encodeTfRecord, readRecords } from '../src/records.js';

interface Found {
  readonly step: number;
  readonly tag: string;
  readonly bytes: Uint8Array;
}

/** The fields of a message by number. */
function fields(bytes: Uint8Array): ReadonlyMap<number, readonly Uint8Array[]> {
  const from = new BinaryReader(bytes);
  const found = new Map<number, Uint8Array[]>();
  while (from.pos < from.len) {
    const [field, wire] = from.tag();
    const start = from.pos;
    from.skip(wire);
    const whole = bytes.subarray(start, from.pos);
    const value = wire === WireType.LengthDelimited ? new BinaryReader(whole).bytes() : whole;
    found.set(field, [...(found.get(field) ?? []), value]);
  }
  return found;
}
const readText = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const only = (message: ReadonlyMap<number, readonly Uint8Array[]>, field: number): Uint8Array =>
  message.get(field)?.[0] ?? new Uint8Array();

async function readFile(store: Store): Promise<readonly Found[]> {
  const [name] = await store.list('tensorboard');
  const file = (await store.read(`tensorboard/${name}`)) ?? new Uint8Array();
  const records = readRecords(file);
  expect(records.at(-1)?.end, 'no torn record').toBe(file.length);
  return records.flatMap(({ bytes }) => {
    const event = fields(bytes);
    const [step] = event.get(2) ?? [Uint8Array.of(0)];
    return (fields(only(event, 5)).get(1) ?? []).map((value): Found => {
      const message = fields(value);
      return {
        step: Number(new BinaryReader(step ?? bytes).int64()),
        tag: readText(only(message, 1)),
        bytes: only(message, 8),
      };
    });
  });
}
/** The only float64 of a tensor. */
const readScalar = (tensor: Uint8Array): number =>
  new BinaryReader(only(fields(tensor), 6)).double();

trackerSuite('tensorboard', tensorboard, {
  recorded: async ({ store }) =>
    (await readFile(store))
      .filter(({ tag }) => tag === 'epoch')
      .map(({ bytes }) => readScalar(bytes)),
  refuses: [{ histograms: 'yes' }],
});

test('CRC-32C is that of RFC 3720 (a file that every reader calls damaged)', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
});

test('a record that is cut short or damaged ends a file (numbers after a hole)', () => {
  const records = [[1], [2, 3]].map((bytes) => encodeTfRecord(Uint8Array.from(bytes)));
  const file = Uint8Array.from(records.flatMap((record) => [...record]));
  expect(readRecords(file).map(({ bytes }) => [...bytes])).toEqual([[1], [2, 3]]);
  expect(readRecords(file.subarray(0, -1))).toHaveLength(1);
  file[12] = 9;
  expect(readRecords(file)).toHaveLength(0);
});

const run = (store: Store): TrackedRun => ({
  ...{ run: '1'.padStart(64, '0'), slug: 'it', where: 'memory', store },
  experiment: {
    ...{ task: { use: 'add' }, model: { use: 'mlp' }, optimizer: { use: 'adamw' } },
    ...{ batch: 1, epochs: 10, seed: 7 },
  },
  ...{ name: 'tensorboard', timeout: 30_000, notice: () => {} },
});

test('numbers are the run’s, to the bit; what a kill left half written is replaced (a torn record in the middle)', async () => {
  const store = memoryStore();
  const tell = async (from: number, to: number): Promise<void> => {
    const tracking = await tensorboard()(run(store));
    for (const event of fakeEvents(run(store).run, from, to)) await tracking.on(event);
    await tracking.finish();
  };
  await tell(0, 3);
  const [name] = await store.list('tensorboard');
  await store.append(`tensorboard/${name}`, Uint8Array.of(1, 2, 3));
  await tell(3, 4);
  const losses = (await readFile(store)).filter(({ tag }) => tag === 'train/loss');
  expect(losses.map(({ step, bytes }) => [step, readScalar(bytes)])).toEqual(
    [1, 2, 3, 4].map((epoch) => [2 * epoch, 1 / epoch]),
  );
  expect((await store.list('tensorboard')).length).toBe(1);
});

test('bins hold every finite value once (a histogram that loses its greatest value)', () => {
  const values = Float32Array.of(-1, 0, 0.5, 2, Number.NaN, 2);
  const bins = countBins(values);
  expect(bins).toHaveLength(30);
  expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(5);
  expect([bins[0]?.left, bins.at(-1)?.right, bins.at(-1)?.count]).toEqual([-1, 2, 2]);
  expect(countBins([3, 3])).toEqual([{ left: 3, right: 3, count: 2 }]);
  expect(countBins([])).toEqual([]);
});

test('a matrix is drawn a pixel an entry (a picture on its side)', () => {
  const data = Float32Array.of(-1, 0, 1, 0, 0, 0);
  const { width, height, png } = drawMatrix({ shape: [2, 3], dtype: 'float32', data });
  expect([width, height]).toEqual([3, 2]);
  expect([...png.subarray(1, 4)]).toEqual([...new TextEncoder().encode('PNG')]);
  expect(new DataView(png.buffer, png.byteOffset).getUint32(16)).toBe(3);
});
