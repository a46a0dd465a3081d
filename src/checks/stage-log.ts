import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEntry, LogsPort } from '../cloud/ports/index.ts';
import type { FormerLog, StageLog } from './context.ts';

const pollMs = 2_000;
const pageSize = 1_000;
const maxEntries = 50_000;
/** So much is read of what lies behind. */
const newestEntries = 4_000;
/** Entries come in late and out of order; so far back each poll looks again. */
const overlapMs = 10_000;

/** The entries of one revision. */
type Query = { project: string; filter: string };

export type StageStart = {
  /** By the clock that the entries' timestamps are of. */
  since: Date;
  /** Milliseconds since then, by a clock that does not jump. */
  age: () => number;
  /** From when on the history counts; without it the stage began with the log. */
  historyFrom?: Date;
};

/** The log of a revision by repeated lists: a check needs every entry once, not every entry at once. */
export function stageLog(logs: LogsPort, revision: Query, { since, age, historyFrom }: StageStart): StageLog {
  return {
    history: async (signal) => {
      if (!historyFrom) return { entries: [], complete: true };
      const filter = `${revision.filter} AND timestamp>="${historyFrom.toISOString()}" AND timestamp<"${since.toISOString()}"`;
      return bothEnds(logs, { ...revision, filter }, signal);
    },
    watch: async function* (windowSeconds, signal) {
      const seen = new Set<string>();
      let newest = since.getTime();
      for (;;) {
        const left = windowSeconds * 1000 - age();
        const from = new Date(Math.max(since.getTime(), newest - overlapMs)).toISOString();
        for await (const page of pagesFrom(logs, revision, from, signal)) {
          const fresh = page.filter((entry) => isNew(seen, entry));
          if (seen.size > maxEntries)
            throw new Error(`it has over ${maxEntries} entries in ${windowSeconds} s`);
          newest = Math.max(newest, ...fresh.map((entry) => Date.parse(entry.timestamp)));
          if (fresh.length > 0) yield fresh;
        }
        if (left <= 0) return;
        await sleep(Math.min(pollMs, left), undefined, { signal });
      }
    },
  };
}

/** How a log begins and how it goes on now; what lies between is left out of a long one. */
async function bothEnds(
  logs: LogsPort,
  query: Query,
  signal: AbortSignal,
): Promise<{ entries: LogEntry[]; complete: boolean }> {
  const last = await logs.listNewest({ ...query, limit: newestEntries }, { signal });
  if (last.length < newestEntries) return { entries: last, complete: true };
  const first = await logs.list({ ...query, limit: pageSize }, { signal });
  const seen = new Set<string>();
  const entries = [...first, ...last].filter((entry) => isNew(seen, entry));
  return { entries, complete: entries.length < first.length + last.length };
}

/** The newest entries of the revisions that served before; requests only where they failed. */
export function formerLog(
  logs: LogsPort,
  revisions: readonly string[],
  queryOf: (revision: string) => Query,
): FormerLog {
  return {
    revisions,
    read: async (signal) => {
      const lists = revisions.flatMap((revision) => {
        const query = queryOf(revision);
        return [
          `${query.filter} AND severity>=ERROR`,
          `${query.filter} AND severity<ERROR AND NOT logName:"%2Frequests"`,
        ].map((filter) => logs.listNewest({ ...query, filter, limit: newestEntries }, { signal }));
      });
      const found = await Promise.all(lists);
      return { entries: found.flat(), complete: found.every((list) => list.length < newestEntries) };
    },
  };
}

/** The next page begins at the last one's newest timestamp, so that pages overlap rather than leave a gap. */
async function* pagesFrom(
  logs: LogsPort,
  { project, filter }: Query,
  from: string,
  signal: AbortSignal,
): AsyncGenerator<LogEntry[]> {
  for (;;) {
    const query = { project, filter: `${filter} AND timestamp>="${from}"`, limit: pageSize };
    const page = await logs.list(query, { signal });
    yield page;
    const last = page.at(-1);
    if (!last || page.length < pageSize) return;
    if (last.timestamp === from) throw new Error(`it has over ${pageSize} entries at ${from}`);
    from = last.timestamp;
  }
}

function isNew(seen: Set<string>, entry: LogEntry): boolean {
  const key = `${entry.timestamp} ${entry.insertId}`;
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}
