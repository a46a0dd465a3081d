import type { StoredEntry } from './entry.ts';
import type { EntryStore } from './store.ts';

/** Of 256 KiB at most each. */
const maxWaiting = 100;

/** What services and builds print, gathered for one write; nobody waits for an answer. */
export type Inbox = {
  add(entry: StoredEntry): void;
  flush(): void;
  close(): void;
};

/** A kill loses the lines of one turn of the event loop at most; a full disk those that it does not take. */
export function openInbox(store: EntryStore): Inbox {
  let waiting: StoredEntry[] = [];
  let scheduled: NodeJS.Immediate | undefined;
  let closed = false;
  let failing = false;

  function flush(): void {
    clearImmediate(scheduled);
    scheduled = undefined;
    if (waiting.length === 0) return;
    const entries = waiting;
    waiting = [];
    try {
      store.write(entries);
      failing = false;
    } catch (error) {
      // Once until it works again: what prints does so many times a second.
      if (!failing) console.error('log lines are lost:', error);
      failing = true;
    }
  }

  return {
    add(entry) {
      // A process that dies while the cloud stops may still have a last word.
      if (closed) return;
      waiting.push(entry);
      if (waiting.length >= maxWaiting) flush();
      else scheduled ??= setImmediate(flush);
    },
    flush,
    close() {
      flush();
      closed = true;
    },
  };
}
