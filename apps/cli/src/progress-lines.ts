/** The line that moves on a terminal, and in its place a line now and then where there is none. */
import { cutPieces, type Piece, writePieces } from './colors.js';
import type { Sink } from './io.js';

/** Without a terminal there is a line after so long, or after so large a share of the whole. */
const EVERY = { ms: 10_000, share: 0.1 } as const;

/** Where progress is written. */
export interface ProgressLines {
  /** Writes a line that stays. */
  print(...pieces: readonly Piece[]): void;
  /** True where something would be shown now; asked before anything is worked out. */
  isDue(): boolean;
  /** Shows how far it is, `done` from 0 to 1: on the moving line, or as a line of its own where one is due. */
  show(done: number, pieces: () => readonly Piece[]): void;
}

/** Progress on a sink; on a terminal the line moves at most every `redrawMs`. */
export function progressLines(sink: Sink, redrawMs: number, now: () => number): ProgressLines {
  const live = sink.isTTY === true;
  const columns = (): number => (sink.columns || 80) - 1;
  let looked = Number.NEGATIVE_INFINITY;
  let last = { at: now(), done: 0 };
  return {
    print(...pieces) {
      if (live) sink.eraseLine?.();
      writePieces(sink, [...pieces, '\n']);
    },
    isDue: () => now() - looked >= redrawMs,
    show(done, pieces) {
      looked = now();
      if (live) {
        sink.eraseLine?.();
        writePieces(sink, cutPieces(pieces(), columns()));
        return;
      }
      const isLate = now() - last.at >= EVERY.ms;
      const isFar =
        Math.floor(done / EVERY.share + 1e-9) > Math.floor(last.done / EVERY.share + 1e-9);
      if (!isLate && !isFar) return;
      last = { at: now(), done };
      writePieces(sink, [...pieces(), '\n']);
    },
  };
}

/** Seconds as `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A share of one as `41.2 %`. */
export function share(accuracy: number): string {
  return `${(100 * accuracy).toFixed(1)} %`;
}
