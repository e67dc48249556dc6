/** Waits no longer than one is ready to. */
import { RunError } from './errors.js';

/** What `promise` gives. @throws RunError with the words of `late` when nothing comes within `patience` milliseconds. */
export async function within<T>(
  promise: Promise<T>,
  patience: number,
  late: (seconds: number) => string,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RunError(late(patience / 1000))), patience);
  });
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
  }
}
