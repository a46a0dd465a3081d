import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';
import { compareEntries, type StoredEntry } from './entry.ts';
import { compileFilter, type Predicate } from './filter/evaluate.ts';
import { maxResponseCharacters, projectsOf, understood } from './list.ts';
import { inProjects } from './search.ts';
import type { EntryStore } from './store.ts';
import { invalid, tailSchema, toWire } from './wire.ts';

export type TailLimits = {
  /** How long one tail may last. */
  sessionMs: number;
  /** Entries that wait for a slow reader; those beyond are counted as suppressed. */
  queued: number;
  perProject: number;
};

export const googleLimits: TailLimits = { sessionMs: 3_600_000, queued: 10_000, perProject: 10 };

const defaultWindowMs = 2_000;
const maxWindowMs = 60_000;
const entriesPerResponse = 1_000;

export type TailCall = ServerDuplexStream<unknown, object>;

type TailQuery = { projects: string[]; matches: Predicate; windowMs: number };

/** Serves TailLogEntries, and knows how many are open. */
export class Tails {
  private readonly store: EntryStore;
  private readonly limits: TailLimits;
  private readonly open = new Set<{ projects: string[]; end(error: RpcError): void }>();

  constructor(store: EntryStore, limits: TailLimits) {
    this.store = store;
    this.limits = limits;
  }

  serve(call: TailCall): void {
    let close = () => {};
    let begun = false;
    const fail = (error: RpcError) => {
      close();
      call.emit('error', error);
    };
    call.on('data', (request: unknown) => {
      try {
        if (begun) throw invalid('Only the first request of a tail may carry a query');
        begun = true;
        close = this.begin(call, readQuery(request), fail);
        // A client sees that the tail is open before there is anything to show.
        call.sendMetadata(new Metadata());
      } catch (error) {
        fail(error instanceof RpcError ? error : invalid(String(error)));
      }
    });
    call.on('cancelled', () => close());
    call.on('end', () => {
      close();
      call.end();
    });
  }

  stop(): void {
    for (const tail of this.open) tail.end(new RpcError(status.UNAVAILABLE, 'The local cloud is stopping'));
  }

  /** Returns what releases all that the tail holds. */
  private begin(call: TailCall, query: TailQuery, fail: (error: RpcError) => void): () => void {
    const full = query.projects.find((project) => this.count(project) >= this.limits.perProject);
    if (full) {
      throw new RpcError(
        status.RESOURCE_EXHAUSTED,
        `Quota exceeded: ${full} has ${this.limits.perProject} open tail sessions`,
      );
    }
    const tail = { projects: query.projects, end: fail };
    this.open.add(tail);
    const outlet = new Outlet(call, query.windowMs, this.limits.queued);
    const wanted = inProjects(query.projects);
    const unsubscribe = this.store.subscribe((entry) => {
      if (wanted(entry) && query.matches(entry)) outlet.push(entry);
    });
    const session = setTimeout(() => {
      fail(
        new RpcError(
          status.OUT_OF_RANGE,
          'Session has run for the maximum allowed duration of 1h. To continue, start a new session with the same filter settings.',
        ),
      );
    }, this.limits.sessionMs);
    session.unref();
    return () => {
      this.open.delete(tail);
      unsubscribe();
      clearTimeout(session);
      outlet.close();
    };
  }

  private count(project: string): number {
    return [...this.open].filter((tail) => tail.projects.includes(project)).length;
  }
}

function readQuery(request: unknown): TailQuery {
  const { resourceNames, filter, bufferWindow } = tailSchema.parse(request);
  const windowMs = bufferWindow ? bufferWindow.seconds * 1000 + bufferWindow.nanos / 1e6 : defaultWindowMs;
  if (windowMs < 0 || windowMs > maxWindowMs) throw invalid('buffer_window must be between 0 and 60 s');
  return { projects: projectsOf(resourceNames), matches: understood(() => compileFilter(filter)), windowMs };
}

/** What waits to be sent on one stream: gathered for the window, held while the reader is slow, bounded. */
class Outlet {
  private readonly call: TailCall;
  private readonly windowMs: number;
  private readonly limit: number;
  private waiting: StoredEntry[] = [];
  private suppressed = 0;
  private timer: NodeJS.Timeout | undefined;
  private blocked = false;

  constructor(call: TailCall, windowMs: number, limit: number) {
    this.call = call;
    this.windowMs = windowMs;
    this.limit = limit;
    call.on('drain', this.resume);
  }

  push(entry: StoredEntry): void {
    if (this.waiting.length < this.limit) this.waiting.push(entry);
    else this.suppressed += 1;
    if (this.blocked) return;
    if (this.windowMs === 0) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), this.windowMs);
  }

  close(): void {
    clearTimeout(this.timer);
    this.call.off('drain', this.resume);
    this.waiting = [];
  }

  private readonly resume = (): void => {
    this.blocked = false;
    this.flush();
  };

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    while (!this.blocked && (this.waiting.length > 0 || this.suppressed > 0)) {
      this.blocked = !this.call.write(this.nextResponse());
    }
  }

  private nextResponse(): object {
    const batch = this.waiting.splice(0, fitting(this.waiting)).sort(compareEntries);
    const suppressed = this.waiting.length === 0 ? this.suppressed : 0;
    this.suppressed -= suppressed;
    return {
      entries: batch.map(toWire),
      suppressionInfo: suppressed > 0 ? [{ reason: 'NOT_CONSUMED', suppressedCount: suppressed }] : [],
    };
  }
}

/** How many of the first entries one response takes. */
function fitting(entries: StoredEntry[]): number {
  let characters = 0;
  let count = 0;
  for (const entry of entries) {
    characters += JSON.stringify(entry).length;
    if (count > 0 && (count === entriesPerResponse || characters > maxResponseCharacters)) break;
    count += 1;
  }
  return count;
}
