/** One of several processes that fight for a lease: whoever holds it counts up a file that nothing else guards. */
import { s3Store } from '../../packages/store-s3/dist/index.js';

const [endpoint, address, rounds] = process.argv.slice(2);
const store = s3Store(address ?? '', { endpoint });
const decode = (/** @type {Uint8Array | undefined} */ bytes) =>
  Number(new TextDecoder().decode(bytes) || 0);
let granted = 0;
for (;;) {
  const lease = await store.lease('work', 60);
  if (!lease.granted) {
    await new Promise((done) => setTimeout(done, 10 * Math.random()));
    continue;
  }
  const count = decode(await store.read('count'));
  if (count < Number(rounds)) {
    await store.write('count', new TextEncoder().encode(String(count + 1)));
    granted++;
  }
  await lease.release();
  if (count >= Number(rounds)) break;
}
process.stdout.write(String(granted));
