import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const sqliteBusy = 5;
const waitMs = 10_000;

/**
 * Runs `critical` while no other process (or worker) holds the same file. The lock is SQLite's exclusive
 * one: the kernel frees it when its holder dies, however it dies. Throws when it stays taken for 10 s.
 */
export async function withFileMutex<T>(file: string, critical: () => Promise<T>): Promise<T> {
  const held = await take(file);
  try {
    return await critical();
  } finally {
    held.close();
  }
}

async function take(file: string): Promise<DatabaseSync> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const held = tryToTake(file);
    if (held) return held;
    if (performance.now() > deadline)
      throw new Error(`${file} is held by another process for over ${waitMs / 1000} s`);
    await sleep(2 + Math.random() * 8);
  }
}

function tryToTake(file: string): DatabaseSync | undefined {
  const database = new DatabaseSync(file);
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return undefined;
    throw error;
  }
}
