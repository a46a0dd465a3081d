import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { maxObjectBytes } from './object-store.ts';

/** Written in milliseconds, so anything older was left behind by a process that died. */
const leftoverMs = 60 * 60 * 1000;

/** Gives `use` a file that holds the bytes durably; whatever `use` leaves of it is removed. */
export async function withScratchFile<T>(
  scratch: string,
  bytes: Uint8Array,
  use: (temporary: string) => Promise<T>,
): Promise<T> {
  if (bytes.length > maxObjectBytes)
    throw new Error(`${bytes.length} bytes are too many: a ledger object has at most ${maxObjectBytes}`);
  const temporary = join(scratch, randomUUID());
  try {
    await writeNew(temporary, bytes);
    return await use(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(bytes);
  await file.datasync();
}

/** Removes what dead processes left of their scratch files. */
export async function sweep(scratch: string): Promise<void> {
  for (const entry of await readdir(scratch)) {
    const path = join(scratch, entry);
    const info = await stat(path).catch(() => undefined);
    if (info && Date.now() - info.mtimeMs > leftoverMs) await rm(path, { force: true });
  }
}

/** A new folder survives a crash only when the folder above it has been synced too. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  const above = dirname(first);
  for (let folder = path; folder.length >= above.length; folder = dirname(folder)) {
    await syncFolder(folder);
    if (folder === above) return;
  }
}

export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
