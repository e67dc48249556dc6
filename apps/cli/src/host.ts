/** What commands share around a run: folders, its host, and how its record is told. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import { InputError, type Registry, type RunHost, type Store } from '@grok/core';
import { fileStore, peakMemoryBytes } from '@grok/core/node';
import { takeLock } from '@grok/study/process';
import type { OutputFlags } from './flags.js';
import type { Io, Sink } from './io.js';

/** Exit codes. */
export const EXIT = { ok: 0, failed: 1, badInput: 2, interrupted: 130 } as const;

/** Where people read: stderr when stdout is kept for JSON. */
export function human(io: Io, flags: OutputFlags): Sink {
  return flags.json === true ? io.err : io.out;
}

/** The common part of every run's host. */
export function hostOf(
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

/** Does something in a folder while no other process does. @throws RunError that names the other. */
export async function locked<T>(folder: string, io: Io, act: () => Promise<T>): Promise<T> {
  const release = await takeLock(resolve(io.cwd, folder), 0);
  try {
    return await act();
  } finally {
    release();
  }
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

/**
 * The folder a new run is to be written to. @throws InputError when it is a file, or holds what no run wrote.
 */
export function freshFolder(folder: string, marker: 'config.json' | 'plan.json', io: Io): string {
  if (folder.trim() === '') throw new InputError('--out: needs the name of a folder');
  const path = resolve(io.cwd, folder);
  if (!existsSync(path)) return folder;
  if (!statSync(path).isDirectory())
    throw new InputError(`--out ${folder}: is a file; give a folder`);
  const files = readdirSync(path).filter((name) => !name.startsWith('.'));
  if (files.length > 0 && !files.includes(marker))
    throw new InputError(
      `--out ${folder}: holds other files (${files[0]}) and no ${marker}; choose an empty or a new folder`,
    );
  return folder;
}
