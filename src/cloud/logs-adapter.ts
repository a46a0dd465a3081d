import type { google } from '@google-cloud/logging-api/build/protos/protos.js';
import { apiMethods } from './api-methods.ts';
import { auditLogDecoder } from './audit-log.ts';
import { gaxOptions, invoke, once, readMethod } from './call.ts';
import { cloudError, toCloudError } from './errors.ts';
import { leanGax } from './lean-gax.ts';
import { type AnyDecoder, toLogEntry } from './logs-normalise.ts';
import type { Call, LogEntry, LogsPort, LogTail } from './ports/index.ts';
import { quotaRead } from './retry.ts';
import { type Adapter, lazyClient, type Session } from './session.ts';

type Query = { project: string; filter: string };
type TailReply = google.logging.v2.ITailLogEntriesResponse;
type Order = 'timestamp asc' | 'timestamp desc';

const list = readMethod('logging.entries.list', 30_000, quotaRead);
const tailName = 'logging.entries.tail';
/** Google ends a tail after an hour with OUT_OF_RANGE; ours ends before, as a deadline. */
const tailMs = 55 * 60_000;
const maxPageSize = 1_000;

export function logsAdapter(session: Session): Adapter<LogsPort> {
  const logging = lazyClient(async () => {
    const { LoggingServiceV2Client } = await import(
      '@google-cloud/logging-api/build/src/v2/logging_service_v2_client.js'
    );
    const gax = await leanGax(apiMethods.logs);
    return new LoggingServiceV2Client(await session.grpcOptions(), gax);
  });
  const decoder = once(async () => {
    const { protobuf } = await import('google-gax');
    return auditLogDecoder(protobuf);
  });
  const on = { client: logging.client, waiting: session.waiting };

  async function listed(query: Query & { limit: number }, orderBy: Order, call: Call): Promise<LogEntry[]> {
    const decodeAny = await decoder();
    const deadline = performance.now() + (call.timeoutMs ?? list.timeoutMs);
    const entries: LogEntry[] = [];
    const pageSize = Math.min(query.limit, maxPageSize);
    let pageToken = '';
    do {
      const request = { resourceNames: [parent(query)], filter: query.filter, orderBy, pageSize, pageToken };
      const left = { ...call, timeoutMs: Math.max(1, deadline - performance.now()) };
      const page = await invoke(on, list, parent(query), left, async (client, limits) => {
        const [found, , reply] = await client.listLogEntries(request, gaxOptions(limits));
        return { found, next: reply?.nextPageToken ?? '' };
      });
      entries.push(...page.found.map((entry) => toLogEntry(entry, decodeAny)));
      // A page may be empty and still have a next one.
      pageToken = page.next;
    } while (pageToken !== '' && entries.length < query.limit);
    return entries.slice(0, query.limit);
  }

  const port: LogsPort = {
    list: (query, call) => listed(query, 'timestamp asc', call),
    listNewest: async (query, call) => (await listed(query, 'timestamp desc', call)).reverse(),
    tail: (query, call) => openTail(query, call),
  };

  /** Opens at once, before anybody reads. The stream's own flow control bounds what is buffered. */
  function openTail(query: Query, call: Call): LogTail {
    const about = { method: tailName, resource: parent(query), write: false };
    const opening = Promise.all([logging.client(), decoder()]).then(([client, decodeAny]) => {
      const stream = client.tailLogEntries({ timeout: call.timeoutMs ?? tailMs, retry: null });
      // A loop that has ended listens no more, and the cancellation is an error event.
      stream.on('error', () => undefined);
      const end = () => {
        try {
          stream.cancel();
        } catch {
          // On a connection that is closed the stream has nothing to cancel.
        }
        stream.destroy();
      };
      ended.signal.addEventListener('abort', end, { once: true });
      if (ended.signal.aborted) {
        end();
        return { stream, decodeAny };
      }
      stream.write({
        resourceNames: [parent(query)],
        filter: query.filter,
        bufferWindow: { seconds: 0, nanos: 0 },
      });
      return { stream, decodeAny };
    });
    opening.catch(() => undefined); // It is thrown where the entries are read.
    const ended = new AbortController();
    const close = () => ended.abort();
    call.signal.addEventListener('abort', close, { once: true, signal: ended.signal });
    if (call.signal.aborted) close();

    async function* entries(): AsyncGenerator<LogEntry[], void> {
      try {
        const { stream, decodeAny } = await opening;
        for await (const reply of stream) yield readReply(reply, decodeAny, about);
        throw cloudError('unavailable', 'the server ended the stream', about);
      } catch (error) {
        if (call.signal.aborted) throw cloudError('aborted', 'the tail was aborted', about);
        if (!ended.signal.aborted) throw toCloudError(error, about);
      } finally {
        close();
      }
    }
    return { [Symbol.asyncIterator]: entries, close };
  }

  return { port, warm: logging.client, close: logging.close };
}

/** Entries that the server dropped are a loss like a broken stream: the reader must list them. */
function readReply(
  reply: TailReply,
  decodeAny: AnyDecoder,
  about: { method: string; resource: string },
): LogEntry[] {
  const dropped = (reply.suppressionInfo ?? []).find((info) => (info.suppressedCount ?? 0) > 0);
  if (dropped) {
    const said = `the server dropped ${dropped.suppressedCount} entries (${dropped.reason})`;
    throw cloudError('unavailable', said, about);
  }
  return (reply.entries ?? []).map((entry) => toLogEntry(entry, decodeAny));
}

function parent(query: Query): string {
  return `projects/${query.project}`;
}
