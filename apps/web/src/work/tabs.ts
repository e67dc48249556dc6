/** Tabs of one browser: a study is trained in one of them, which tells the others; they watch. */
import type { FromWorker } from '../protocol.js';

const lockName = (folder: string): string => `grok study ${folder}`;
const openChannel = (folder: string): BroadcastChannel => new BroadcastChannel(lockName(folder));

/** A study that this tab may work on: no other does until it is let go. */
export interface Grip {
  /** Tells other tabs. */
  tell(message: FromWorker): void;
  release(): void;
}

/** Takes a study, or undefined where another tab works on it. */
export function takeStudy(folder: string): Promise<Grip | undefined> {
  return request(folder, { ifAvailable: true });
}

/**
 * Hears what the tab that works on a study tells, until that tab lets go or is closed; the study is then
 * this tab's. @throws the signal's reason.
 */
export async function watchStudy(
  folder: string,
  hear: (message: FromWorker) => void,
  signal: AbortSignal,
): Promise<Grip> {
  const channel = openChannel(folder);
  channel.onmessage = ({ data }: MessageEvent<FromWorker>) => hear(data);
  try {
    const grip = await request(folder, { signal });
    if (grip === undefined) throw new Error(`${folder}: the browser did not grant a lock`);
    return grip;
  } finally {
    channel.close();
  }
}

/** True while any tab works on a study. */
export async function isTaken(folder: string): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === lockName(folder));
}

function request(folder: string, options: LockOptions): Promise<Grip | undefined> {
  return new Promise((give, fail) => {
    const hold = (lock: Lock | null): Promise<void> | undefined => {
      if (lock === null) {
        give(undefined);
        return undefined;
      }
      const channel = openChannel(folder);
      return new Promise((done) => {
        give({
          tell: (message) => channel.postMessage(message),
          release() {
            channel.close();
            done();
          },
        });
      });
    };
    navigator.locks.request(lockName(folder), options, hold).catch(fail);
  });
}
