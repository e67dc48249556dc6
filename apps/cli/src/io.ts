/** What the command line touches of the world around it, so that tests can stand in for it. */

import type { Look } from './colors.js';

/** A stream to write to. */
export interface Sink {
  write(text: string): unknown;
  /** Writes in a look; absent where there are no colors. */
  writeStyled?(look: Look, text: string): unknown;
  /** Empties the line of a terminal that the cursor is in. */
  eraseLine?(): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}
/** Streams, surroundings and Ctrl-C. */
export interface Io {
  readonly out: Sink;
  readonly err: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here. */
  readonly cwd: string;
  /** The script that this command line is, to start it again as a process; absent where it is a function. */
  readonly script?: string;
  /** Aborts when the user wants to stop. */
  readonly signal: AbortSignal;
  /** Begins to watch over this process after so many milliseconds; 0 before code runs that may never return. */
  readonly watch?: (delay: number) => void;
}
