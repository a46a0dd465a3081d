import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEntry, LogsPort } from '../cloud/ports/index.ts';
import type { StageLog } from './context.ts';

const pollMs = 2_000;
const pageSize = 1_000;
const maxEntries = 50_000;
/** Entries come in late and out of order; so far back each poll looks again. */
const overlapMs = 10_000;

/** The log of a revision by repeated lists: a check needs every entry once, not every entry at once. */
export function stageLog(
  logs: LogsPort,
  revision: { project: string; filter: string },
  since: Date,
  now: () => Date,
): StageLog {
  return {
    watch: async function* (windowSeconds, signal) {
      const end = since.getTime() + windowSeconds * 1000;
      const seen = new Set<string>();
      let newest = since.getTime();
      for (;;) {
        const left = end - now().getTime();
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

/** The next page begins at the last one's newest timestamp, so that pages overlap rather than leave a gap. */
async function* pagesFrom(
  logs: LogsPort,
  { project, filter }: { project: string; filter: string },
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
