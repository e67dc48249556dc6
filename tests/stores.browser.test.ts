/** What every store must do, on the origin private file system, and what only a browser can show. */
import { memoryStore, opfsStore } from '@grok/core';
import { storeSuite } from '@grok/testing';
import { afterAll, expect, it } from 'vitest';

const root = `stores-${crypto.randomUUID()}`;
afterAll(async () => {
  const files = await navigator.storage.getDirectory();
  await files.removeEntry(root, { recursive: true });
});
let count = 0;
storeSuite('memory', () => memoryStore());
storeSuite('opfs', () => opfsStore(`${root}/${count++}/run`));

it('finds in another store what one wrote (catches: files that live as long as an object)', async () => {
  const bytes = new TextEncoder().encode('abc');
  await opfsStore(`${root}/again`).write('checkpoints/x', bytes);
  expect(await opfsStore(`${root}/again`).read('checkpoints/x')).toStrictEqual(bytes);
  expect(await opfsStore(`${root}/again`).list('checkpoints')).toEqual(['x']);
});

it('takes bytes of shared memory (catches: writables that refuse what threads compute)', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(7);
  await opfsStore(`${root}/shared`).write('x', shared);
  expect(await opfsStore(`${root}/shared`).read('x')).toStrictEqual(Uint8Array.of(7, 7, 7));
});
