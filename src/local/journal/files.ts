import * as fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Span } from './lines.ts';

const write = promisify(fs.write);
const read = promisify(fs.read);
const dataSync = promisify(fs.fdatasync);
export const truncate = promisify(fs.ftruncate);

/** Resolves when the bytes are on the disk. */
export async function writeAt(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  await writeAll(fd, bytes, position);
  await dataSync(fd);
}

async function writeAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await write(fd, bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Opens the file, which is made when it is missing, for reading and writing at any place. */
export function openForUpdate(file: string): number {
  const isNew = !fs.existsSync(file);
  const fd = fs.openSync(file, isNew ? 'wx+' : 'r+', 0o600);
  if (isNew) syncFolder(path.dirname(file));
  return fd;
}

const chunkBytes = 1 << 20;

/** Replaces the file by one that holds only these parts of it and `end`; on failure it stays as it is. */
export async function rewrite(
  file: string,
  fd: number,
  parts: readonly Span[],
  end: Uint8Array,
): Promise<{ fd: number; size: number }> {
  const old = Buffer.allocUnsafe(fs.fstatSync(fd).size);
  await read(fd, old, 0, old.length, 0);
  const draft = `${file}.new`;
  const target = fs.openSync(draft, 'w+', 0o600);
  try {
    let size = 0;
    for (const chunk of chunksOf([
      ...parts.map(({ offset, bytes }) => old.subarray(offset, offset + bytes)),
      end,
    ])) {
      await writeAll(target, chunk, size);
      size += chunk.length;
    }
    await dataSync(target);
    fs.renameSync(draft, file);
    return { fd: target, size };
  } catch (error) {
    fs.closeSync(target);
    fs.rmSync(draft, { force: true });
    throw error;
  }
}

/** One write for many small parts. */
function* chunksOf(parts: readonly Uint8Array[]): Generator<Buffer> {
  let chunk: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts) {
    chunk.push(part);
    bytes += part.length;
    if (bytes < chunkBytes) continue;
    yield Buffer.concat(chunk);
    chunk = [];
    bytes = 0;
  }
  yield Buffer.concat(chunk);
}

/** A file's new name is there for good only when its folder is on the disk. */
export function syncFolder(folder: string): void {
  // Windows opens no folders.
  if (process.platform === 'win32') return;
  const fd = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
