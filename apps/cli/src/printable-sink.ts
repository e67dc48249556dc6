/** What a terminal is sent. */
import { printable } from '@grok/core/internal';
import type { Sink } from './io.js';

/** The same sink for printable text; only `eraseLine` moves the cursor. */
export function printableSink(sink: Sink): Sink {
  return {
    write: (text) => sink.write(printable(text)),
    eraseLine: () => sink.write('\r\x1b[K'),
    isTTY: sink.isTTY,
    get columns() {
      return sink.columns;
    },
  };
}
