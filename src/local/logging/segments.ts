import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { type StoredEntry, storedEntrySchema } from './entry.ts';

const segmentBytes = 8 * 1024 * 1024;
const maxSegments = 4;
const flushAtCharacters = 256 * 1024;
const filePattern = /^entries-(\d{8})\.ndjson$/;

/** The entries on disk: NDJSON files of bounded size, of which the oldest goes when a new one is begun. */
export type Segments = {
  append(entry: StoredEntry): void;
  close(): void;
};

/** Reads what is there, in file order, and continues it. Lines that are no entries are left out. */
export function openSegments(folder: string, onEntry: (entry: StoredEntry) => void): Segments {
  mkdirSync(folder, { recursive: true });
  let numbers = listNumbers(folder);
  for (const number of numbers) readSegment(fileOf(folder, number), onEntry);

  let current = numbers.at(-1) ?? 1;
  if (numbers.length === 0) numbers = [current];
  let file = openSync(fileOf(folder, current), 'a', 0o600);
  let size = fstatSync(file).size;
  let pending = '';
  let scheduled: NodeJS.Immediate | undefined;
  let closed = false;

  function flush(): void {
    clearImmediate(scheduled);
    scheduled = undefined;
    if (pending === '') return;
    size += writeSync(file, pending);
    pending = '';
    if (size >= segmentBytes) rotate();
  }

  function rotate(): void {
    closeSync(file);
    current += 1;
    numbers.push(current);
    file = openSync(fileOf(folder, current), 'a', 0o600);
    size = 0;
    for (const old of numbers.splice(0, numbers.length - maxSegments))
      rmSync(fileOf(folder, old), { force: true });
  }

  return {
    append(entry) {
      // A process that dies while the cloud stops may still have a last word.
      if (closed) return;
      pending += `${JSON.stringify(entry)}\n`;
      if (pending.length >= flushAtCharacters) flush();
      else scheduled ??= setImmediate(flush);
    },
    close() {
      closed = true;
      flush();
      closeSync(file);
    },
  };
}

function fileOf(folder: string, number: number): string {
  return path.join(folder, `entries-${String(number).padStart(8, '0')}.ndjson`);
}

function listNumbers(folder: string): number[] {
  return readdirSync(folder)
    .flatMap((name) => filePattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function readSegment(file: string, onEntry: (entry: StoredEntry) => void): void {
  const bytes = readFileSync(file);
  const end = bytes.lastIndexOf(0x0a) + 1;
  // A kill can tear the last line; the next append must not continue it.
  if (end < bytes.length) truncateSync(file, end);
  for (const line of bytes.toString('utf8', 0, end).split('\n')) {
    const entry = line === '' ? undefined : parseLine(line);
    if (entry) onEntry(entry);
  }
}

function parseLine(line: string): StoredEntry | undefined {
  try {
    return storedEntrySchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
