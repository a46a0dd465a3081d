import { closeSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';
import { writeFailure } from './failure.ts';
import { openForUpdate, rewrite, syncFolder, truncate, writeAt } from './files.ts';
import { type Change, decodeLines, encodeBatch, endOfBatch, isKey } from './lines.ts';
import { LiveIndex } from './live-index.ts';
import { dropUnreadable } from './unreadable.ts';

/**
 * The state of the local cloud: keyed JSON texts in one file that only grows, until what is outdated outweighs the rest.
 * Changes made in one turn of the event loop are on the disk together or not at all, and in the order in which they were made.
 */
export type Journal = {
  readonly file: string;
  /** What a collection has on the disk, the oldest first. */
  keys(collection: string): string[];
  /** The text of one of these keys. */
  read(collection: string, key: string): string;
  /**
   * Resolves when the change is on the disk. When it cannot be written, it and every later one are undone, the last
   * one first, and the calls reject with an RpcError. One that is refused at once is undone before this returns.
   */
  write(change: Change, undo: () => void): Promise<void>;
  /** Resolves when everything is written. */
  stop(): Promise<void>;
};

export type JournalOptions = {
  /** The folder; the file in it is `state.journal`. */
  home: string;
  /** Told what of the file could not be read; by default the server's log is. */
  warn?: (line: string) => void;
  /** With fewer bytes of outdated lines the file is left as it is. */
  compactAt?: number;
};

type Pending = { change: Change; undo: () => void; done: PromiseWithResolvers<void> };

export function openJournal({ home, warn = console.error, compactAt = 4 << 20 }: JournalOptions): Journal {
  const file = path.join(home, 'state.journal');
  let fd = openForUpdate(file);
  const contents = decodeLines(readFileSync(fd));
  dropUnreadable(file, fd, contents, warn);
  const live = new LiveIndex();
  for (const line of contents.lines) live.enter(line);
  let size = contents.end;
  /** A write that failed has left something after `size`. */
  let hasTail = false;
  let isDamaged = contents.damaged.length > 0;
  let allowedGarbage = compactAt;
  let queue: Pending[] = [];
  let flushing: Promise<void> | undefined;
  let stopped = false;

  async function flush(): Promise<void> {
    // Other calls that come in the same turn share the write.
    await new Promise(setImmediate);
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      try {
        await append(batch.map(({ change }) => change));
        for (const { done } of batch) done.resolve();
      } catch (error) {
        // The queued ones were made on top of these.
        const failed = [...batch, ...queue];
        queue = [];
        fail(failed, writeFailure(home, error));
      }
      const garbage = size - live.bytes;
      // Damage goes with the garbage, and so is told of once.
      if (isDamaged || garbage > Math.max(live.bytes, allowedGarbage)) await compact();
    }
    flushing = undefined;
  }

  async function append(changes: readonly Change[]): Promise<void> {
    const { bytes, lines } = encodeBatch(changes, size);
    if (hasTail) await dropTail();
    try {
      await writeAt(fd, bytes, size);
    } catch (error) {
      hasTail = true;
      // It takes room that the next one may need.
      await dropTail().catch(() => {});
      throw error;
    }
    size += bytes.length;
    for (const line of lines) live.enter(line);
  }

  async function dropTail(): Promise<void> {
    await truncate(fd, size);
    hasTail = false;
  }

  async function compact(): Promise<void> {
    try {
      const rewritten = await rewrite(file, fd, live.lines(), Buffer.from(endOfBatch));
      closeSync(fd);
      ({ fd, size } = rewritten);
      live.pack();
      hasTail = false;
      isDamaged = false;
      allowedGarbage = compactAt;
      syncFolder(home);
    } catch (error) {
      // The file is as good as it was. A disk that has no room now may have it when the garbage has doubled.
      isDamaged = false;
      allowedGarbage = 2 * (size - live.bytes);
      warn(`${file} could not be compacted: ${writeFailure(home, error).message}`);
    }
  }

  return {
    file,
    keys: (collection) => live.keys(collection),
    read(collection, key) {
      const { offset, bytes } = live.text(collection, key) ?? { offset: 0, bytes: 0 };
      const text = Buffer.allocUnsafe(bytes);
      readSync(fd, text, 0, bytes, offset);
      return text.toString('utf8');
    },
    write(change, undo) {
      const pending = { change, undo, done: Promise.withResolvers<void>() };
      if (stopped) {
        fail([pending], new RpcError(status.UNAVAILABLE, 'The local cloud is stopping.'));
      } else if (!isKey(change.key)) {
        // Not in the batch, whose other changes it would fail.
        const what = `A name holds no tabs and no line ends: ${JSON.stringify(change.key)}.`;
        fail([pending], new RpcError(status.INVALID_ARGUMENT, what));
      } else {
        queue.push(pending);
        flushing ??= flush();
      }
      return pending.done.promise;
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      await flushing;
      closeSync(fd);
    },
  };
}

function fail(failed: readonly Pending[], error: RpcError): void {
  for (const { undo } of failed.toReversed()) undo();
  for (const { done } of failed) done.reject(error);
}
