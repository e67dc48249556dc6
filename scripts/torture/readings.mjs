/** Damaged documents read in watched processes: a read that never ends is a finding, with its number. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const worker = fileURLToPath(new URL('worker.mjs', import.meta.url));
/** Milliseconds without a message after which a process is ended; fifty reads may take that long on a busy machine. */
const SILENCE = 120_000;

/** @typedef {{ read: number, refused: number, slowest: number, findings: readonly { kind: string, seed: number, at: number, what: string }[] }} Told */

/**
 * @param {{ mutations: number, seed: number }} options
 * @returns {Promise<Told>}
 */
export async function readDamaged({ mutations, seed }) {
  const processes = availableParallelism();
  const share = Math.ceil(mutations / processes);
  const results = await Promise.all(
    Array.from({ length: processes }, (_, i) => runWorker(share, seed, i * share)),
  );
  return {
    read: results.reduce((sum, each) => sum + each.read, 0),
    refused: results.reduce((sum, each) => sum + each.refused, 0),
    slowest: Math.max(...results.map((each) => each.slowest)),
    findings: results.flatMap((each) => each.findings),
  };
}

/** @param {number} mutations @param {number} seed @param {number} from @returns {Promise<Told>} */
function runWorker(mutations, seed, from) {
  const args = [mutations, seed, from].map(String);
  const child = fork(worker, args, { execArgv: ['--max-old-space-size=1024'], silent: true });
  let at = from;
  /** @type {Told | undefined} */
  let result;
  let said = '';
  child.stderr?.on('data', (part) => {
    said = (said + part).slice(-400);
  });
  const giveUp = () => child.kill('SIGKILL');
  let timer = setTimeout(giveUp, SILENCE);
  child.on('message', (/** @type {{ at?: number, result?: Told }} */ message) => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, SILENCE);
    at = message.at ?? at;
    result = message.result ?? result;
  });
  return new Promise((resolve) =>
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const what = `ended with ${code ?? signal} among the 50 from ${at} on: ${said}`;
      const lost = { read: 0, refused: 0, slowest: 0 };
      resolve(result ?? { ...lost, findings: [{ kind: 'process', seed, at, what }] });
    }),
  );
}
