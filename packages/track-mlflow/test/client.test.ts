/** Requests on connections that the server has closed meanwhile. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { callMlflow } from '../src/client.js';

test('a request on a connection that was closed meanwhile is sent again (a server that is up, called dead)', async () => {
  let requests = 0;
  const server = createServer((request, response) => {
    if (++requests === 2) request.socket.destroy();
    else response.end('{"answer":42}');
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  const at = { uri: `http://127.0.0.1:${port}`, headers: {} };
  const call = (): Promise<unknown> => callMlflow(at, 'GET', 'runs/get', { run_id: 'x' });
  expect(await call()).toEqual({ answer: 42 });
  expect(await call()).toEqual({ answer: 42 });
  expect(requests).toBe(3);
  server.closeAllConnections();
  server.close();
});
