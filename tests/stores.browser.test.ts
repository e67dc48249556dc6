/** The conformance suite on the origin private file system, and tests that need a browser. */
import { memoryStore, opfsStore } from '@grok/core';
import { findOpfsFault } from '@grok/core/internal';
import { storeSuite } from '@grok/testing';
import { afterAll, describe, expect, it, vi } from 'vitest';

const root = `stores-${crypto.randomUUID()}`;
afterAll(async () => {
  const files = await navigator.storage.getDirectory();
  await files.removeEntry(root, { recursive: true });
});
let count = 0;
storeSuite('memory', () => memoryStore());
storeSuite('opfs', () => opfsStore(`${root}/${count++}/run`));

it('finds in another store what one wrote (catches: files that only live as long as an object)', async () => {
  const bytes = new TextEncoder().encode('abc');
  await opfsStore(`${root}/again`).write('checkpoints/x', bytes);
  expect(await opfsStore(`${root}/again`).read('checkpoints/x')).toStrictEqual(bytes);
  expect(await opfsStore(`${root}/again`).list('checkpoints')).toEqual(['x']);
});

it('does not recreate a folder that disappeared (catches: a run that finishes in an empty folder)', async () => {
  const store = opfsStore(`${root}/gone/run`);
  await store.write('config.json', Uint8Array.of(1));
  const files = await (await navigator.storage.getDirectory()).getDirectoryHandle(root);
  await files.removeEntry('gone', { recursive: true });
  await expect(store.append('metrics.jsonl', Uint8Array.of(1))).rejects.toThrow(
    'its folder no longer exists',
  );
  expect(await store.list('')).toEqual([]);
});

it('accepts bytes in shared memory (catches: writables that refuse what threads compute)', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(7);
  await opfsStore(`${root}/shared`).write('x', shared);
  expect(await opfsStore(`${root}/shared`).read('x')).toStrictEqual(Uint8Array.of(7, 7, 7));
});

describe('a browser that refuses files', () => {
  it('is reported before anything is written (catches: a run that fails at its first write)', async () => {
    expect(await findOpfsFault()).toBeUndefined();
    const cases: readonly [string, () => { mockRestore(): void }][] = [
      [
        'no private file system here \\(denied\\); use a normal \\(not private\\) window',
        () =>
          vi
            .spyOn(navigator.storage, 'getDirectory')
            .mockRejectedValue(new DOMException('denied', 'SecurityError')),
      ],
      [
        'cannot be written \\(denied\\)',
        () =>
          vi
            .spyOn(FileSystemFileHandle.prototype, 'createWritable')
            .mockRejectedValue(new DOMException('denied', 'NotAllowedError')),
      ],
    ];
    for (const [says, refuse] of cases) {
      const refused = refuse();
      expect(await findOpfsFault()).toMatch(new RegExp(says));
      refused.mockRestore();
    }
  });
  it('that lacks the API gets a readable error (catches: "createWritable is not a function")', async () => {
    const proto = FileSystemFileHandle.prototype;
    const own = Object.getOwnPropertyDescriptor(proto, 'createWritable') ?? {};
    Object.defineProperty(proto, 'createWritable', { value: undefined, configurable: true });
    try {
      const fault = /opfs:.*\/a: cannot be written \(this browser can only read files here\)/;
      await expect(opfsStore(`${root}/old`).write('a', new Uint8Array(1))).rejects.toThrow(fault);
      expect(await findOpfsFault()).toMatch(/can only read files here/);
    } finally {
      Object.defineProperty(proto, 'createWritable', own);
    }
  });
});
