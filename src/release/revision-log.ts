import { followLogs } from '../cloud/follow-logs.ts';
import { serviceFilter } from '../cloud/log-filter.ts';
import type { LogEntry } from '../cloud/ports/index.ts';
import { messageOf } from '../startup/message.ts';
import type { Finding } from '../startup/profile.ts';
import { createStartupReader, type StartupReader, type StartupSignal } from '../startup/reader.ts';
import { pause } from './pause.ts';
import { call, type ServiceRun } from './run.ts';

/** The log of one revision, followed from before its birth until its release ends. */
export type RevisionLog = {
  readonly reader: StartupReader;
  /** Milliseconds since the epoch: just before the revision was made. */
  readonly openedAt: number;
  /** Milliseconds since then, by a clock that does not jump. */
  age(): number;
  /**
   * What the first entry and every telling one after it say of the startup, what was said before included.
   * Returns how to stop listening.
   */
  listen(listener: (signals: readonly StartupSignal[]) => void): () => void;
  /** Whether it tells of an instance that starts; one that still runs says nothing of its start. */
  startTold(): boolean;
  /** The first line that ends a start, or what had started. */
  fatal(): Finding | undefined;
  /** Waits until the log has been quiet for a moment, or the time is up. */
  settle(times: { quietMs: number; withinMs: number }): Promise<void>;
  /** What the kept entries with these insertIds say, a line each. */
  linesOf(insertIds: readonly string[]): string[];
  close(): void;
};

/** Lines kept for a diagnosis. */
const keptLines = 5_000;
/** Signals kept for a later listener. */
const keptSignals = 1_000;

/** How far this clock may be ahead of the cloud's. A revision that has run before said other things then. */
const slackMs = 1_000;

/** `bornAt`: when a revision that a resumed release finds made was asked for, in milliseconds since the epoch. */
export function openRevisionLog(
  run: ServiceRun,
  revision: string,
  { ranBefore = false, bornAt }: { ranBefore?: boolean; bornAt?: number | undefined } = {},
): RevisionLog {
  const { ref } = run.target;
  const earlierMs = ranBefore ? 0 : slackMs;
  const openedAt = (bornAt ?? run.now()) - earlierMs;
  // By the clock that does not jump; of a birth long ago only the other clock tells.
  const opened = performance.now() - (bornAt === undefined ? 0 : Math.max(0, run.now() - bornAt)) - earlierMs;
  const stop = new AbortController();
  // Outlives an interrupted run: the diagnosis still wants the late lines.
  const { signal } = stop;
  const reader = createStartupReader({
    formats: run.target.startup.formats,
    requiredSystems: run.target.startup.systems.required,
  });
  const listeners = new Set<(signals: readonly StartupSignal[]) => void>();
  const told: StartupSignal[] = [];
  let heard = false;
  let startTold = false;
  let fatal: Finding | undefined;
  const said = new Map<string, string>();
  let lastNews = performance.now();

  const receive = (entry: LogEntry): void => {
    lastNews = performance.now();
    const signals = reader.push(entry);
    show(entry);
    if (heard && signals.length === 0) return;
    heard = true;
    startTold ||= signals.some(({ kind }) => kind !== 'finding');
    fatal ??= signals.find((signal) => signal.kind === 'fatal')?.finding;
    told.push(...signals.slice(0, keptSignals - told.length));
    for (const listener of listeners) listener(signals);
  };

  const show = (entry: LogEntry): void => {
    const { lines } = messageOf(entry);
    const text = lines.find((each) => /[\p{L}\p{N}]/u.test(each));
    if (text === undefined || entry.request) return;
    const line = text.slice(0, 500);
    said.set(entry.insertId, line);
    const [oldest] = said.keys();
    if (said.size > keptLines && oldest !== undefined) said.delete(oldest);
    run.journal.emit({
      type: 'startup.log',
      service: run.target.key,
      revision,
      severity: entry.severity,
      line,
    });
  };

  const query = {
    project: ref.project,
    filter: serviceFilter(ref, { revision }),
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
    age: () => performance.now() - opened,
    listen(listener) {
      // Lines may arrive before their revision is known to be made.
      if (heard) listener(told);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    startTold: () => startTold,
    fatal: () => fatal,
    async settle({ quietMs, withinMs }) {
      const began = performance.now();
      const quietFor = (): number => performance.now() - Math.max(began, lastNews);
      while (quietFor() < quietMs && performance.now() < began + withinMs) {
        await pause({ signal, track: run.track }, Math.max(10, quietMs - quietFor()));
      }
    },
    linesOf: (insertIds) => insertIds.flatMap((id) => said.get(id) ?? []),
    close: () => stop.abort(),
  };
}
