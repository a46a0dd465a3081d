import { quietPause } from './call.ts';
import { type Call, CloudError, type CloudErrorKind, type LogEntry, type LogsPort } from './ports/index.ts';

export type FollowQuery = { project: string; filter: string /** RFC 3339. */; since: string };

/** Entries come late and out of order: a list after a loss begins this much before the last one seen. */
const overlapMs = 60_000;
/** A tail tells nobody when it really began: the lists after these pauses close the gap. */
const backfillPausesMs = [0, 2_000];
/** Nor does it tell when its connection has silently died. */
const safetyListMs = 30_000;
/** After so many tails in a row that were lost at once, lists replace them for a while. */
const maxLostTails = 3;
const reopenMs = 250;
const listEveryMs = 3_000;
const listsBeforeNextTail = 10;
const pageLimit = 5_000;
/** Repeats are known among this many entries. */
const maxRemembered = 100_000;

/** A loss of this kind passes; any other (forbidden, a filter that is refused) would only repeat itself. */
const passing: readonly CloudErrorKind[] = ['unavailable', 'deadline', 'exhausted', 'internal'];

/**
 * Every entry that matches, from `since` on, until the call's signal fires: a tail, and lists for what it may have
 * missed. The tail is opened by the call itself, before anybody reads. Entries come once each, though not always in
 * order. Throws a CloudError that will not pass.
 */
export function followLogs(
  logs: LogsPort,
  query: FollowQuery,
  call: Call,
  onNotice: (notice: string) => void,
): AsyncIterable<LogEntry[]> {
  const first = openTail(logs, query, call);
  return { [Symbol.asyncIterator]: () => follow(logs, query, call, onNotice, first) };
}

type Tail = ReturnType<LogsPort['tail']>;

async function* follow(
  logs: LogsPort,
  query: FollowQuery,
  call: Call,
  onNotice: (notice: string) => void,
  first: Tail,
): AsyncGenerator<LogEntry[], void> {
  const seen = new Seen(query.since);
  let tail: Tail | undefined = first;
  let lost = 0;
  while (!call.signal.aborted) {
    const openedAt = performance.now();
    const ended = new AbortController();
    const signal = AbortSignal.any([call.signal, ended.signal]);
    const source: AsyncIterable<LogEntry[]> = tail
      ? merge(tail, backfills(logs, query, seen, signal))
      : lists(logs, query, seen, signal);
    try {
      for await (const entries of source) {
        const news = seen.take(entries);
        if (news.length > 0) yield news;
      }
    } catch (error) {
      if (call.signal.aborted) return;
      if (!(error instanceof CloudError) || !passing.includes(error.kind)) throw error;
      onNotice(`${tail ? 'the log stream was lost' : 'the log could not be read'}: ${error.said}`);
    } finally {
      tail?.close();
      ended.abort();
    }
    lost = performance.now() - openedAt > listEveryMs ? 0 : lost + 1;
    const giveUp: boolean = tail !== undefined && lost >= maxLostTails;
    if (giveUp) onNotice(`the log is read every ${listEveryMs / 1000} s instead`);
    await quietPause(reopenMs * 2 ** Math.min(lost, 4), call.signal);
    tail = giveUp || call.signal.aborted ? undefined : openTail(logs, query, call);
  }
}

function openTail(logs: LogsPort, query: FollowQuery, call: Call): Tail {
  return logs.tail({ project: query.project, filter: query.filter }, { signal: call.signal });
}

async function* backfills(
  logs: LogsPort,
  query: FollowQuery,
  seen: Seen,
  signal: AbortSignal,
): AsyncGenerator<LogEntry[], void> {
  for (let count = 0; ; count += 1) {
    await quietPause(backfillPausesMs[count] ?? safetyListMs, signal);
    if (signal.aborted) return;
    yield* listFrom(logs, query, seen.resumeAt(), signal);
  }
}

async function* lists(
  logs: LogsPort,
  query: FollowQuery,
  seen: Seen,
  signal: AbortSignal,
): AsyncGenerator<LogEntry[], void> {
  for (let count = 0; count < listsBeforeNextTail && !signal.aborted; count += 1) {
    yield* listFrom(logs, query, seen.resumeAt(), signal);
    await quietPause(listEveryMs, signal);
  }
}

/** All entries from a time on, page by page; a full page goes on where it ended. */
async function* listFrom(
  logs: LogsPort,
  query: FollowQuery,
  from: string,
  signal: AbortSignal,
): AsyncGenerator<LogEntry[], void> {
  let start = from;
  for (;;) {
    const filter = `(${query.filter}) AND timestamp>="${start}"`;
    const entries = await logs.list({ project: query.project, filter, limit: pageLimit }, { signal });
    yield entries;
    const last = entries.at(-1)?.timestamp ?? start;
    if (entries.length < pageLimit || last === start) return;
    start = last;
  }
}

/** How far the log has been read, and what of it. */
class Seen {
  readonly #since: number;
  #last: number;
  readonly #keys = new Set<string>();

  constructor(since: string) {
    this.#since = Date.parse(since);
    this.#last = this.#since;
  }

  /** Those that are new. */
  take(entries: readonly LogEntry[]): LogEntry[] {
    return entries.filter((entry) => this.#isNew(entry));
  }

  resumeAt(): string {
    return new Date(Math.max(this.#since, this.#last - overlapMs)).toISOString();
  }

  #isNew(entry: LogEntry): boolean {
    const key = `${entry.log} ${entry.timestamp} ${entry.insertId}`;
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size > maxRemembered && oldest !== undefined) this.#keys.delete(oldest);
    this.#last = Math.max(this.#last, Date.parse(entry.timestamp) || 0);
    return true;
  }
}

/** The items of both sources as they come. Ends when the main source does, fails when either fails. */
async function* merge<T>(main: AsyncIterable<T>, side: AsyncIterable<T>): AsyncGenerator<T, void> {
  const mainItems = main[Symbol.asyncIterator]();
  const sideItems = side[Symbol.asyncIterator]();
  let nextOfMain: Promise<Pulled<T>> = pull(mainItems, 'main');
  let nextOfSide: Promise<Pulled<T>> | undefined = pull(sideItems, 'side');
  for (;;) {
    const { from, result }: Pulled<T> = await Promise.race(
      nextOfSide ? [nextOfMain, nextOfSide] : [nextOfMain],
    );
    if (from === 'main') {
      if (result.done) return;
      nextOfMain = pull(mainItems, 'main');
    } else {
      nextOfSide = result.done ? undefined : pull(sideItems, 'side');
    }
    if (!result.done) yield result.value;
  }
}

type Pulled<T> = { from: 'main' | 'side'; result: IteratorResult<T, unknown> };

function pull<T>(items: AsyncIterator<T>, from: Pulled<T>['from']): Promise<Pulled<T>> {
  const pulled = items.next().then((result) => ({ from, result }));
  pulled.catch(() => undefined); // It may fail while nobody waits; the next race throws it.
  return pulled;
}
