/** What commands share around a run: folders, its host, and how its record is told. */
import { existsSync, mkdtempSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { InputError, type Registry, type RunHost, type Store } from '@grok/core';
import { type Hold, whileHeld } from '@grok/core/internal';
import { fileStore, peakMemoryBytes } from '@grok/core/node';
import type { OutputFlags } from './flags.js';
import { Folder } from './fold.js';
import type { Io, Sink } from './io.js';

/** Exit codes. */
export const EXIT = { ok: 0, failed: 1, badInput: 2, interrupted: 130 } as const;

/** Where people read, and in how many columns. */
export interface Human extends Sink {
  /** Columns for tables; absent where they are to be whole. */
  readonly width?: number;
}

/** Where people read: stderr when stdout is kept for data. Lines are folded unless `--wide` asks for whole ones. */
export function human(io: Io, { json, csv, wide }: OutputFlags): Human {
  const sink = json === true || csv === true ? io.err : io.out;
  if (wide === true) return sink;
  const width = terminalWidth(sink, io);
  const lines = new Folder(width);
  const { writeStyled } = sink;
  return {
    ...sink,
    width,
    get columns() {
      return sink.columns;
    },
    write: (text) => sink.write(lines.fold(text)),
    ...(writeStyled === undefined
      ? {}
      : { writeStyled: (look, text) => writeStyled(look, lines.fold(text)) }),
    eraseLine() {
      lines.reset();
      return sink.eraseLine?.();
    },
  };
}

/** The least columns that are written for. */
const NARROWEST = 40;

/** Columns of a terminal, else those of COLUMNS, else 80. */
export function terminalWidth(sink: Sink, { env }: Pick<Io, 'env'>): number {
  const columns = sink.columns || Number(env.COLUMNS) || 80;
  return Math.max(NARROWEST, Math.floor(columns));
}

/** The common part of every run's host. */
export function createHost(
  registry: Registry,
  io: Io,
): Required<Pick<RunHost, 'registry' | 'signal' | 'peakMemoryBytes' | 'versions'>> {
  return {
    registry,
    signal: io.signal,
    peakMemoryBytes,
    versions: { node: process.versions.node },
  };
}

/** A store in a folder, called in messages as the user would call it. */
export function storeAt(folder: string, io: Io): Store {
  return { ...fileStore(resolve(io.cwd, folder)), where: shown(folder, io) };
}

/** Does something in a run's folder while no other process does. @throws RunError that names the other. */
export async function locked<T>(
  folder: string,
  io: Io,
  act: (hold: Pick<Hold, 'store'> & { readonly signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  return whileHeld(storeAt(folder, io), ({ store, lost }) =>
    act({ store, signal: AbortSignal.any([io.signal, lost]) }),
  );
}

/** A folder as the user would type it. */
export function shown(folder: string, io: Io): string {
  const from = relative(io.cwd, resolve(io.cwd, folder));
  return from === ''
    ? '.'
    : from.startsWith('..') || isAbsolute(from)
      ? resolve(io.cwd, folder)
      : from;
}

/** Leaves no trace. @throws InputError, which begins with `what`, when a folder cannot be made or written to. */
export function checkWritable(folder: string, what: string, io: Io): void {
  let at = resolve(io.cwd, folder);
  if (existsSync(at) && !statSync(at).isDirectory())
    throw new InputError(`${what}: is a file; give a folder`);
  while (!existsSync(at)) at = dirname(at);
  try {
    rmdirSync(mkdtempSync(join(at, '.grok-'))); // to ask for permission is not enough under /proc
  } catch (error) {
    const [reason] = (error as Error).message.split(','); // `EACCES: permission denied, mkdtemp …`
    throw new InputError(`${what}: cannot be written (${reason}); choose another folder`);
  }
}

/**
 * The folder a new run is to be written to. @throws InputError when it holds what no run wrote, or as `checkWritable`.
 */
export function freshFolder(folder: string, marker: 'config.json' | 'plan.json', io: Io): string {
  if (folder.trim() === '') throw new InputError('--out: needs the name of a folder');
  const path = resolve(io.cwd, folder);
  if (existsSync(join(path, marker))) return folder; // what is finished is only read
  checkWritable(folder, `--out ${folder}`, io);
  const there = existsSync(path) ? readdirSync(path) : [];
  const files = there.filter((name) => !name.startsWith('.'));
  // Another process may have begun it meanwhile: who works in it is told by its lease.
  if (files.length > 0 && !files.includes(marker))
    throw new InputError(
      `--out ${folder}: contains other files (${files[0]}) and no ${marker}; choose an empty or new folder`,
    );
  return folder;
}
