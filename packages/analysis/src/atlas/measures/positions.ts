/** What positions of a task are called in tables. */
import type { Task } from '@grok/core';

/** Names a position: what it holds, such as `a`, or its number. */
export function namePosition({ format }: Pick<Task, 'format'>): (position: number) => string {
  return (position) => format?.[position] ?? String(position);
}
