/** What a terminal is sent. */
import { printable } from '@grok/core/internal';
import { color, hasColors } from './colors.js';
import type { Io, Sink } from './io.js';

/** The same sink for printable text; only `eraseLine` moves the cursor, and only `writeStyled` has colors. */
export function printableSink(sink: Sink, env: Io['env'] = {}): Sink {
  const write = (text: string): unknown => sink.write(printable(text));
  return {
    write,
    ...(hasColors(sink, env)
      ? { writeStyled: (look, text) => sink.write(color(look, printable(text))) }
      : {}),
    eraseLine: () => sink.write('\r\x1b[K'),
    isTTY: sink.isTTY,
    get columns() {
      return sink.columns;
    },
  };
}
