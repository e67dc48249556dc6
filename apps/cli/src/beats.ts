/** What a process tells the one that watches over it (`watchdog.ts`). */

/** Milliseconds between signs of life. */
export const BEAT_MS = 250;
/** A sign of life. */
export const BEAT = '.';
/** The first Ctrl-C was heard. */
export const HEARD = '!';
