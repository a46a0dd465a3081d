import { existsSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LocalCloudError } from './errors.ts';

/** Held until `release` or the end of the process: the kernel frees it, whatever kills the holder. */
export type HomeLock = { release(): void };

/** The one lock on a home, or nothing when another process (or this one) holds it. */
export function acquireHomeLock(home: string): HomeLock | undefined {
  const database = new DatabaseSync(fileOf(home));
  try {
    database.exec('PRAGMA busy_timeout = 0');
    database.exec('BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return undefined;
    throw new LocalCloudError(
      {
        what: `The local cloud cannot lock ${fileOf(home)}.`,
        why: error instanceof Error ? error.message : String(error),
        next: ['sluice local reset'],
      },
      { cause: error },
    );
  }
}

const sqliteBusy = 5;

const fileOf = (home: string) => path.join(home, 'lock.db');

export function isHomeLocked(home: string): boolean {
  if (!existsSync(fileOf(home))) return false;
  try {
    const lock = acquireHomeLock(home);
    lock?.release();
    return lock === undefined;
  } catch {
    // What is no database holds nobody off; whoever starts a server is told.
    return false;
  }
}
