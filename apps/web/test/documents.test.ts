/** What is dropped on the page: checked in memory, written last. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { smallPreset } from '../src/page/presets.js';
import { type NamedBytes, packFiles, unpackFiles } from '../src/work/archive.js';
import { importFiles, readDropped } from '../src/work/documents.js';
import { memoryShelf, type Shelf } from '../src/work/shelf.js';
import { listStudies, loadStudyRuns, openStudyFolder } from '../src/work/studies.js';

const teacher = fileURLToPath(new URL('../public/teacher/', import.meta.url));
/** The run that comes with the page, as files of a folder `run/`. */
async function runFiles(): Promise<NamedBytes[]> {
  const names = (await readdir(teacher, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name !== 'files.json')
    .map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    names.map(async (name) => ({
      path: `run/${name.slice(teacher.length)}`,
      bytes: new Uint8Array(await readFile(name)),
    })),
  );
}
const changed = (
  files: readonly NamedBytes[],
  name: string,
  bytes: (old: Uint8Array) => Uint8Array | undefined,
): NamedBytes[] =>
  files.flatMap((file) => {
    if (!file.path.endsWith(name)) return [file];
    const next = bytes(file.bytes);
    return next === undefined ? [] : [{ ...file, bytes: next }];
  });
/** Files by path and hash: bytes by the million are compared slowly. */
const sums = async (shelf: Shelf, study: string) =>
  Object.entries(await shelf.files(study))
    .map(([path, bytes]) => `${path} ${createHash('sha256').update(bytes).digest('hex')}`)
    .sort();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('a run that is dropped', () => {
  it('is a study of its own (catches: files lost on the way)', async () => {
    const shelf = memoryShelf('test');
    const folder = await importFiles(await runFiles(), shelf);
    expect(await listStudies(shelf)).toMatchObject([{ folder, status: 'finished' }]);
    expect(Object.keys(await shelf.files(folder))).toHaveLength(6);
  });

  it.each([
    [
      'metrics.jsonl',
      (old: Uint8Array) => strToU8(text(old).replace('"epoch":7', '"epoch":"7"')),
      /line 7/,
    ],
    ['manifest.json', () => strToU8('{}'), /manifest\.json/],
    [
      'config.json',
      (old: Uint8Array) => strToU8(text(old).replace('"seed": 42', '"seed": 43')),
      /edited/,
    ],
    ['config.json', () => undefined, /no plan\.json or config\.json/],
    ['.safetensors', (old: Uint8Array) => old.slice(0, 1000), /step-001050\.safetensors/],
    ['metrics.jsonl', () => undefined, /ends at epoch 0/],
  ] as const)(
    'with a damaged %s is refused, and leaves nothing (%#)',
    async (name, bytes, says) => {
      // Catches: a refused import that leaves files, or writes before it looks.
      const shelf = memoryShelf('test');
      await expect(importFiles(changed(await runFiles(), name, bytes), shelf)).rejects.toThrow(
        says,
      );
      expect(await shelf.studies()).toEqual([]);
    },
  );

  it('is refused where a run of that id is kept, which stays as it is (catches: two runs’ files in one folder)', async () => {
    const shelf = memoryShelf('test');
    const files = await runFiles();
    const folder = await importFiles(files, shelf);
    const before = await sums(shelf, folder);
    const shorter = changed(files, 'events.jsonl', (old) => old.slice(0, 10));
    await expect(importFiles(shorter, shelf)).rejects.toThrow(
      /is already saved in this browser; open it, or delete it/,
    );
    expect(await sums(shelf, folder)).toEqual(before);
  });

  it('leaves nothing where the storage is full (catches: half a run)', async () => {
    const shelf = memoryShelf('test');
    const full = {
      ...shelf,
      store: (folder: string) => ({
        ...shelf.store(folder),
        async write(path: string, bytes: Uint8Array) {
          if (path === 'config.json') throw new Error('full');
          await shelf.store(folder).write(path, bytes);
        },
      }),
    };
    await expect(importFiles(await runFiles(), full)).rejects.toThrow('full');
    expect(await shelf.studies()).toEqual([]);
  });

  it('may be a whole study, as the page hands it out (catches: an archive that the page cannot take back)', async () => {
    const first = memoryShelf('test');
    const folder = await importFiles(await runFiles(), first);
    const zip = packFiles(await first.files(folder));
    const taken = await readDropped([{ path: 'x.zip', file: new Blob([zip]) }]);
    const second = memoryShelf('test');
    expect('files' in taken && (await importFiles(taken.files, second))).toBe(folder);
    expect(await sums(second, folder)).toEqual(await sums(first, folder));
  });
});

describe('an archive', () => {
  const zipped = (files: Record<string, Uint8Array>, level: 0 | 9 = 9) => ({
    path: 'x.zip',
    bytes: zipSync(files, { level }),
  });
  it('that would fill the memory is refused while it is unpacked (catches: a bomb of a gigabyte)', () => {
    const bomb = zipped({ a: new Uint8Array(2 ** 22) });
    expect(bomb.bytes.length).toBeLessThan(20_000);
    expect(() => unpackFiles(bomb, { bytes: 2 ** 20 })).toThrow(
      'x.zip: holds more than 1 MiB when unpacked; drop a single run',
    );
    // The size that the archive says of itself is not believed.
    const liar = bomb.bytes.slice();
    new DataView(liar.buffer).setUint32(22, 10, true);
    expect(() => unpackFiles({ path: 'x.zip', bytes: liar }, { bytes: 2 ** 20 })).toThrow(/1 MiB/);
    const many = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`f${i}`, new Uint8Array(1)]),
    );
    expect(() => unpackFiles(zipped(many), { files: 10 })).toThrow('holds more than 10 files');
  });
  it('that is damaged is named (catches: an error of the unpacker’s own)', () => {
    const { bytes } = zipped({ a: crypto.getRandomValues(new Uint8Array(5000)) });
    for (const bad of [bytes.slice(0, 2000), strToU8('no zip at all'), new Uint8Array()])
      expect(() => unpackFiles({ path: 'x.zip', bytes: bad })).toThrow(/^x\.zip: /);
  });
  it('cannot lead out of its folder (catches: ../ in a name)', async () => {
    const shelf = memoryShelf('test');
    const files = [...(await runFiles()), { path: 'run/../../evil', bytes: new Uint8Array(1) }];
    await expect(importFiles(files, shelf)).rejects.toThrow(/without "\.\."/);
    expect(await shelf.studies()).toEqual([]);
  });
});

describe('a file that is dropped', () => {
  const makeDrop = (value: string, path = 'x.json') => [{ path, file: new Blob([value]) }];
  it('is read by its schema (catches: any object taken for a plan)', async () => {
    await expect(readDropped(makeDrop('{'))).rejects.toThrow(/^x\.json: must be JSON/);
    await expect(readDropped(makeDrop('{"teacher":{},"arms":{},"x":1}'))).rejects.toThrow(/"x"/);
    await expect(readDropped([])).rejects.toThrow(/nothing readable/);
  });
  it('is not read when it is too large (catches: a gigabyte in memory before it is looked at)', async () => {
    await expect(readDropped(makeDrop('12345678'), 4)).rejects.toThrow(/is larger than/);
  });
});

describe('a damaged item', () => {
  it('costs itself only (catches: a list that shows nothing, a study that shows no other run)', async () => {
    const shelf = memoryShelf('test');
    const folder = await importFiles(await runFiles(), shelf);
    await shelf.store('broken').write('plan.json', strToU8('{"name": 1}'));
    const [run] = Object.keys(await shelf.files(folder)).filter((path) =>
      path.endsWith('/metrics.jsonl'),
    );
    const listed = async () =>
      Object.fromEntries((await listStudies(shelf)).map((study) => [study.folder, study]));
    expect(await listed()).toMatchObject({
      broken: { status: 'damaged', error: expect.stringContaining('broken/plan.json') },
      [folder]: { status: 'finished' },
    });
    await shelf.store(folder).write(run!, strToU8('{}\n'));
    expect((await listed())[folder]).toMatchObject({
      status: 'unfinished',
      error: expect.stringMatching(/metrics\.jsonl: line 1/),
    });
    const { plan } = JSON.parse(`{"plan":${text((await shelf.files(folder))['plan.json']!)}}`);
    const [loaded] = await loadStudyRuns(plan, openStudyFolder(shelf, folder));
    expect(loaded).toMatchObject({ state: 'damaged', error: expect.stringContaining('line 1') });
  });
  it('is shown as text that turns no line around (catches: a quoted name that reads as another)', async () => {
    const shelf = memoryShelf('test');
    const odd = { ...smallPreset, name: 'good\u202efile\u001b[31m' };
    await shelf.store('odd').write('plan.json', strToU8(JSON.stringify(odd)));
    const [{ error = '' } = {}] = await listStudies(shelf);
    expect(error).toContain('got "good\\u202efile\\u001b[31m"');
  });
});
