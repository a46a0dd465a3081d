import { followLogs } from '../cloud/follow-logs.ts';
import type { LogEntry, ServiceRef } from '../cloud/ports/index.ts';
import { createStartupReader, type StartupReader, type StartupSignal } from '../startup/reader.ts';
import { pause } from './pause.ts';
import { call, type ServiceRun } from './run.ts';

/** The log of one revision, followed from before its birth until its release ends. */
export type RevisionLog = {
  readonly reader: StartupReader;
  /** Milliseconds since the epoch: just before the revision was made. */
  readonly openedAt: number;
  /** Every new entry with what it says of the startup. Returns how to stop listening. */
  listen(listener: (entry: LogEntry, signals: readonly StartupSignal[]) => void): () => void;
  /** Waits until the log has been quiet for a moment, or the time is up. */
  settle(times: { quietMs: number; withinMs: number }): Promise<void>;
  close(): void;
};

export function revisionFilter(ref: ServiceRef, revision: string): string {
  return [
    'resource.type="cloud_run_revision"',
    `resource.labels.service_name="${ref.service}"`,
    `resource.labels.revision_name="${revision}"`,
    `resource.labels.location="${ref.region}"`,
  ].join(' AND ');
}

export function openRevisionLog(run: ServiceRun, revision: string): RevisionLog {
  const { ref } = run.target;
  const openedAt = run.now() - 1_000;
  const stop = new AbortController();
  // Outlives an interrupted run: the diagnosis still wants the late lines.
  const { signal } = stop;
  const reader = createStartupReader({ formats: run.target.startup.formats });
  const listeners = new Set<(entry: LogEntry, signals: readonly StartupSignal[]) => void>();
  let lastNews = run.now();

  const receive = (entry: LogEntry): void => {
    lastNews = run.now();
    const signals = reader.push(entry);
    for (const listener of listeners) listener(entry, signals);
  };

  const query = {
    project: ref.project,
    filter: revisionFilter(ref, revision),
    since: new Date(openedAt).toISOString(),
  };
  const notice = (note: string): void => run.journal.emit({ type: 'notice', service: run.target.key, note });

  const follow = async (): Promise<void> => {
    for await (const batch of followLogs(run.cloud.logs, query, call({ signal }), notice)) {
      for (const entry of batch) receive(entry);
    }
  };
  follow().catch((error: unknown) => {
    if (!signal.aborted) notice(`the log of ${revision} can no longer be read: ${String(error)}`);
  });

  return {
    reader,
    openedAt,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async settle({ quietMs, withinMs }) {
      const began = run.now();
      const quietFor = (): number => run.now() - Math.max(began, lastNews);
      while (quietFor() < quietMs && run.now() < began + withinMs) {
        await pause({ signal, track: run.track }, Math.max(10, quietMs - quietFor()));
      }
    },
    close: () => stop.abort(),
  };
}
