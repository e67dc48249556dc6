/** The conformance suite for stores: what a run relies on when it writes, resumes and is read. */
import type { Lease, Store } from '@grok/core';
import { describe, expect } from 'vitest';
import { registerTests, type Tests } from './tests-by-title.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Creates an empty store at each call, and bytes in the caller's form. */
interface Subject {
  readonly make: () => Store | Promise<Store>;
  readonly own: (bytes: Uint8Array) => Uint8Array;
}

/**
 * Registers the conformance tests of a store; each call of `make` returns an empty one, `own` creates bytes as
 * callers do.
 */
export function storeSuite(
  name: string,
  make: Subject['make'],
  own: Subject['own'] = (given) => given,
): void {
  describe(`store ${name}`, () => registerTests(storeTests, () => ({ make, own })));
}

const storeTests: Tests<Subject> = {
  'reads what was written, and undefined for a missing file': async ({ make }) => {
    // Catches: an exception for a missing file; the old tail left after a shorter new file.
    const store = await make();
    expect(
      await store.read('config.json'),
      'a file that was never written must be undefined',
    ).toBeUndefined();
    expect(
      await store.read('a/b/c'),
      'a file in a folder that is not there must be undefined',
    ).toBeUndefined();
    await store.write('a/b/c', bytes('longer'));
    await store.write('a/b/c', bytes('short'));
    expect(
      await store.read('a/b/c'),
      'a shorter file must replace a longer one whole',
    ).toStrictEqual(bytes('short'));
    await store.write('empty', new Uint8Array());
    expect(await store.read('empty'), 'an empty file must be there, and empty').toStrictEqual(
      new Uint8Array(),
    );
  },

  'copies bytes in and out': async ({ make, own }) => {
    // Catches: a file changed by the caller's reused buffer, including a view of a larger one, as
    // in Node.
    const store = await make();
    const mine = own(bytes('abc'));
    await store.write('x', mine);
    await store.append('y', mine);
    mine.fill(0);
    (await store.read('x'))?.fill(1);
    expect(await store.read('x'), 'a write must copy: its array is written to again').toStrictEqual(
      bytes('abc'),
    );
    expect(
      await store.read('y'),
      'an append must copy: its array is written to again',
    ).toStrictEqual(bytes('abc'));
    expect(
      (await store.read('x'))?.constructor,
      'what is read must be a plain Uint8Array, no Buffer',
    ).toBe(Uint8Array);
  },

  'appends and truncates': async ({ make }) => {
    // Catches: append that replaces; truncate that pads with zeros.
    const store = await make();
    await store.append('logs/m.jsonl', bytes('one\n'));
    await store.append('logs/m.jsonl', bytes('two\n'));
    await store.truncate('logs/m.jsonl', 4);
    await store.truncate('logs/m.jsonl', 100);
    await store.append('logs/m.jsonl', bytes('3\n'));
    expect(
      await store.read('logs/m.jsonl'),
      'append must add, and truncate must cut but never lengthen',
    ).toStrictEqual(bytes('one\n3\n'));
    await store.truncate('missing', 0);
    expect(
      await store.read('missing'),
      'truncating what is not there must make nothing',
    ).toBeUndefined();
  },

  'lists the files of one folder, sorted, and removes files': async ({ make }) => {
    // Catches: folders, or files of nested folders, in the list; an error for a missing folder.
    const store = await make();
    expect(
      await store.list('checkpoints'),
      'a folder that is not there must have no files',
    ).toEqual([]);
    expect(await store.list(''), 'an empty store must have no files').toEqual([]);
    for (const path of ['checkpoints/b', 'checkpoints/a', 'checkpoints/deep/c', 'config.json'])
      await store.write(path, bytes(path));
    expect(await store.list('checkpoints'), 'a folder must list its own files, sorted').toEqual([
      'a',
      'b',
    ]);
    expect(await store.list(''), 'the root must list its own files, no folders').toEqual([
      'config.json',
    ]);
    expect(await store.list('config.json'), 'a file must list nothing').toEqual([]);
    await store.remove('checkpoints/a');
    await store.remove('checkpoints/a');
    expect(
      await store.list('checkpoints'),
      'what was removed must not be listed; removing it again must do nothing',
    ).toEqual(['b']);
    expect(await store.read('checkpoints/a'), 'what was removed must not be read').toBeUndefined();
  },

  'never leaves its folder': async ({ make }) => {
    // Catches: a name from outside (an analysis, a plugin) that writes outside the run folder.
    const store = await make();
    for (const path of ['../x', 'a/../../x', '/etc/x', '', 'a//b', 'a/', '.', 'a\\..\\x'])
      for (const use of [
        () => store.read(path),
        () => store.write(path, bytes('x')),
        () => store.append(path, bytes('x')),
        () => store.truncate(path, 0),
        () => store.remove(path),
      ])
        await expect(use(), path).rejects.toThrow(`store path "${path}"`);
    await expect(
      store.list('..'),
      'a path out of the store must be refused by its name',
    ).rejects.toThrow('store path ".."');
  },

  'supports concurrent writes': async ({ make }) => {
    // Catches: two writes that share a temporary name.
    const store = await make();
    await Promise.all(Array.from({ length: 8 }, (_, i) => store.write(`a/${i}`, bytes(`${i}`))));
    await Promise.all(['p', 'q'].map((text) => store.write('same', bytes(text.repeat(5000)))));
    expect(await store.list('a'), 'eight writes at once must leave eight files').toHaveLength(8);
    const same = new TextDecoder().decode(await store.read('same'));
    expect(
      ['p', 'q'].map((text) => text.repeat(5000)),
      'of two writes of one file at once, one must win whole',
    ).toContain(same);
  },

  'grants a lease to one holder at a time': async ({ make }) => {
    // Catches: a lease with two holders, names that share a lease, a lease that is never available
    // again.
    const store = await make();
    const answers = await Promise.all(Array.from({ length: 8 }, () => store.lease('work', 60)));
    const held = answers.filter(({ granted }) => granted);
    expect(held, 'one of eight').toHaveLength(1);
    for (const each of answers)
      if (!each.granted) expect(each.holder, 'who holds it').toMatch(/\S/);
    const other = await store.lease('other', 60);
    expect(other.granted, 'another name is another lease').toBe(true);
    for (const each of [...held, other]) if (each.granted) await each.release();
    const again = await store.lease('work', 60);
    expect(again.granted, 'it was released').toBe(true);
    if (again.granted) await again.release();
    expect(await store.list(''), 'leases are nobody’s files').toEqual([]);
  },

  'renews a lease, and grants a stale one to one holder only': async ({ make }) => {
    // Catches: a dead holder that keeps a lease forever, a lease lost during renewal, two processes
    // that take over a stale one.
    const store = await make();
    const first = await store.lease('work', 1);
    if (!first.granted) throw new Error('a store that is empty refused its lease');
    const until = performance.now() + 1500;
    while (performance.now() < until) {
      await first.renew();
      expect((await store.lease('work', 60)).granted, 'it is renewed').toBe(false);
      await new Promise((done) => setTimeout(done, 50));
    }
    const heirs: Lease[] = [];
    const deadline = performance.now() + 5000;
    while (heirs.length === 0 && performance.now() < deadline) {
      for (const each of await Promise.all(
        Array.from({ length: 8 }, () => store.lease('work', 60)),
      ))
        if (each.granted) heirs.push(each);
      await new Promise((done) => setTimeout(done, 50));
    }
    expect(heirs, 'taken over once').toHaveLength(1);
    await expect(first.renew(), 'whoever lost it is told').rejects.toThrow('expired');
    await first.release();
    expect((await store.lease('work', 60)).granted, 'the heir holds it still').toBe(false);
    for (const heir of heirs) await heir.release();
  },

  'refuses a lease whose name is a path': async ({ make }) => {
    const store = await make();
    for (const name of ['', '../x', 'a/b', 'a b'])
      await expect(
        (async () => store.lease(name, 1))(),
        'a name that is a path must be refused',
      ).rejects.toThrow(`lease "${name}"`);
  },
};
