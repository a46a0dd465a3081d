import { followLogs } from '../cloud/follow-logs.ts';
import { type LogWish, serviceFilter } from '../cloud/log-filter.ts';
import type { Cloud, LogEntry } from '../cloud/ports/index.ts';
import type { Target } from '../config/target.ts';

/** The newest entries of these services, oldest first. */
export async function readLogs(
  targets: readonly Target[],
  cloud: Cloud,
  wish: LogWish & { limit: number },
  signal: AbortSignal,
): Promise<LogEntry[]> {
  const lists = await Promise.all(
    queriesOf(targets, wish).map((query) =>
      cloud.logs.listNewest({ ...query, limit: wish.limit }, { signal }),
    ),
  );
  return lists
    .flat()
    .sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1))
    .slice(-wish.limit);
}

/** Shows what comes after these entries, until the signal fires. */
export async function followAfter(
  entries: readonly LogEntry[],
  targets: readonly Target[],
  cloud: Cloud,
  wish: LogWish,
  signal: AbortSignal,
  to: { show: (entries: LogEntry[]) => void; notice: (note: string) => void },
): Promise<void> {
  const since = entries.at(-1)?.timestamp ?? new Date().toISOString();
  // followLogs gives each entry once; only those that were shown before are new to it.
  const shown = new Set(entries.map(keyOf));
  await Promise.all(
    queriesOf(targets, wish).map(async (query) => {
      for await (const batch of followLogs(cloud.logs, { ...query, since }, { signal }, to.notice)) {
        to.show(batch.filter((entry) => !shown.has(keyOf(entry))));
      }
    }),
  );
}

function queriesOf(targets: readonly Target[], wish: LogWish): { project: string; filter: string }[] {
  return targets.map(({ ref }) => ({ project: ref.project, filter: serviceFilter(ref, wish) }));
}

function keyOf(entry: LogEntry): string {
  return `${entry.log} ${entry.timestamp} ${entry.insertId}`;
}
