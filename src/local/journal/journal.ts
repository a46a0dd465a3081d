import { closeSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';
import { writeFailure } from './failure.ts';
import { cutTail, keepDamaged, openForUpdate, rewrite, truncate, writeAt } from './files.ts';
import { type Change, decodeLines, encodeLine, endOfBatch, type Span } from './lines.ts';

/**
 * The state of the local cloud: keyed JSON texts in one file that only grows, until what is outdated outweighs the rest.
 * Changes made in one turn of the event loop are on the disk together or not at all, in the order in which they were made.
 */
export type Journal = {
  readonly file: string;
  /** The keys and texts of a collection, the oldest key first. */
  read(collection: string): Iterable<[key: string, json: string]>;
  /**
   * Resolves when the change is on the disk. When it cannot be written, it and every later one are undone, the last
   * one first, and the calls reject with an RpcError.
   */
  write(change: Change, undo: () => void): Promise<void>;
  /** Resolves when everything is written. */
  stop(): Promise<void>;
};

export type JournalOptions = {
  /** The folder; the file in it is `state.journal`. */
  home: string;
  /** Told what of the file could not be read. */
  warn?: (line: string) => void;
  /** Below this many bytes of outdated lines the file is left as it is. */
  compactAt?: number;
};

type Entry = { at: Span; json: Span };
type Pending = Change & { undo: () => void; done: PromiseWithResolvers<void> };

export function openJournal({ home, warn = console.error, compactAt = 4 << 20 }: JournalOptions): Journal {
  const file = path.join(home, 'state.journal');
  let fd = openForUpdate(file);
  const contents = decodeLines(readFileSync(fd));
  const index = new Map<string, Map<string, Entry>>();
  let size = contents.end;
  let live = 0;
  /** Bytes after `size`, of a write that failed. */
  let hasTail = false;
  let worthCompacting = compactAt;
  let queue: Pending[] = [];
  let flushing: Promise<void> | undefined;
  let stopped = false;

  for (const line of contents.lines)
    enter(line.collection, line.key, line.json && { at: line.at, json: line.json });
  tellOfDamage();

  function tellOfDamage(): void {
    const tail = cutTail(fd, size);
    if (tail > 0) {
      warn(
        `${file}: dropped a half-written tail of ${tail} bytes after byte ${size}; no call that it was for has been answered.`,
      );
    }
    if (contents.damaged.length === 0) return;
    const places = contents.damaged.map(({ offset, bytes }) => `${bytes} bytes at byte ${offset}`).join(', ');
    warn(
      `${file}: skipped what cannot be read (${places}) and kept the rest; the file as it was is ${keepDamaged(file)}.`,
    );
    worthCompacting = 0;
  }

  function enter(collection: string, key: string, entry: Entry | undefined): void {
    const entries = index.get(collection) ?? new Map<string, Entry>();
    index.set(collection, entries);
    live += (entry?.at.bytes ?? 0) - (entries.get(key)?.at.bytes ?? 0);
    if (entry) entries.set(key, entry);
    else entries.delete(key);
  }

  async function flush(): Promise<void> {
    // What comes in the same turn, from other calls too, shares the write.
    await new Promise(setImmediate);
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      try {
        await append(batch);
        for (const { done } of batch) done.resolve();
      } catch (error) {
        // The queued ones were made on top of these.
        fail([...batch, ...queue], writeFailure(home, error));
        queue = [];
      }
      if (size - live > Math.max(live, worthCompacting)) await compact();
    }
    flushing = undefined;
  }

  async function append(batch: readonly Change[]): Promise<void> {
    const lines = batch.map((change, n) => Buffer.from(encodeLine(change, n === batch.length - 1)));
    if (hasTail) await truncate(fd, size);
    hasTail = true;
    await writeAt(fd, Buffer.concat(lines), size);
    hasTail = false;
    for (const [n, { collection, key, json }] of batch.entries()) {
      const bytes = lines[n]?.length ?? 0;
      const jsonBytes = json === undefined ? 0 : Buffer.byteLength(json);
      // The text stands before the newline.
      const at = { offset: size + bytes - 1 - jsonBytes, bytes: jsonBytes };
      enter(collection, key, json === undefined ? undefined : { at: { offset: size, bytes }, json: at });
      size += bytes;
    }
  }

  function fail(failed: readonly Pending[], error: RpcError): void {
    for (const { undo } of failed.toReversed()) undo();
    for (const { done } of failed) done.reject(error);
  }

  async function compact(): Promise<void> {
    try {
      const entries = [...index.values()].flatMap((collection) => [...collection.values()]);
      const spans = entries.map(({ at }) => at);
      const rewritten = await rewrite(file, fd, spans, Buffer.from(endOfBatch));
      closeSync(fd);
      ({ fd, size } = rewritten);
      let offset = 0;
      for (const { at, json } of entries) {
        json.offset += offset - at.offset;
        at.offset = offset;
        offset += at.bytes;
      }
      hasTail = false;
      worthCompacting = compactAt;
    } catch (error) {
      // The old file is as good as it was; a disk that has no room now may have it later.
      worthCompacting = 2 * (size - live);
      warn(`${file}: could not be compacted: ${writeFailure(home, error).message}`);
    }
  }

  function textAt({ offset, bytes }: Span): string {
    const buffer = Buffer.allocUnsafe(bytes);
    readSync(fd, buffer, 0, bytes, offset);
    return buffer.toString('utf8');
  }

  return {
    file,
    *read(collection) {
      for (const [key, { json }] of index.get(collection) ?? []) yield [key, textAt(json)];
    },
    write(change, undo) {
      const done = Promise.withResolvers<void>();
      queue.push({ ...change, undo, done });
      if (stopped) {
        fail(queue, new RpcError(status.UNAVAILABLE, 'The local cloud is stopping.'));
        queue = [];
      } else flushing ??= flush();
      return done.promise;
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      await flushing;
      closeSync(fd);
    },
  };
}
