/** Gives a promise a time limit. */
import { RunError } from '../contracts/errors.js';

/** Resolves as `promise` does. @throws RunError with the text of `late` after `timeout` milliseconds. */
export async function withTimeout<T>(
  promise: Promise<T>,
  timeout: number,
  late: (seconds: number) => string,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RunError(late(timeout / 1000))), timeout);
  });
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
  }
}
