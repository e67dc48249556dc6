/** The store `s3` on the server that GROK_S3 names; `npm run test:s3` starts one. */
import { randomUUID } from 'node:crypto';
import { createRegistry } from '@grok/core';
import s3 from '@grok/store-s3';
import { storeSuite } from '@grok/testing';
import * as tf from '@grok/tfjs';
import { afterAll, describe, expect, it, vi } from 'vitest';

const endpoint = process.env.GROK_S3;
const registry = createRegistry([s3]);
const open = (address: string, options: Record<string, string>) =>
  registry.create('store', 's3', options, { tf })(address);
vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
afterAll(() => vi.unstubAllEnvs());

describe.skipIf(endpoint === undefined)('store s3 (skipped without GROK_S3)', () => {
  storeSuite(
    's3',
    () => open(`s3://grok/${randomUUID()}`, { endpoint: endpoint ?? '' }),
    Buffer.from,
  );

  it('writes what was appended with the next write (catches: rows that only their writer sees)', async () => {
    const address = `s3://grok/${randomUUID()}`;
    const [own, other] = [0, 1].map(() => open(address, { endpoint: endpoint ?? '' }));
    const bytes = new TextEncoder().encode('row\n');
    await own?.append('metrics.jsonl', bytes);
    await own?.append('metrics.jsonl', bytes);
    await own?.write('checkpoint', bytes);
    const text = new TextDecoder().decode(await other?.read('metrics.jsonl'));
    expect(text).toBe('row\nrow\n');
  });

  it('says what is missing (catches: a stack for a bucket that is not there)', async () => {
    const store = open('s3://no-such-bucket/x', { endpoint: endpoint ?? '' });
    await expect(store.write('a', new Uint8Array())).rejects.toThrow(
      /^s3:\/\/no-such-bucket\/x\/a: cannot write \(NoSuchBucket: .*\); create the bucket$/,
    );
  });
});

it('says in one line that there is no server (catches: a stack, a wait without end)', async () => {
  const store = open('s3://grok/x', { endpoint: 'http://127.0.0.1:1' });
  await expect(store.read('a')).rejects.toThrow(
    /^s3:\/\/grok\/x\/a: cannot read \(.*\); check the keys \(AWS_ACCESS_KEY_ID\) and that http:\/\/127\.0\.0\.1:1 can be reached, then resume the run$/,
  );
  expect(() => open('bucket/x', {})).toThrow('address must be s3://bucket/prefix');
});
