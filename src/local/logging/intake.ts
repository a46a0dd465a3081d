import { randomBytes } from 'node:crypto';
import type { NewLogEntry } from '../contracts.ts';
import { parseSeverity, type StoredEntry } from './entry.ts';
import { fromDate, type Timestamp } from './timestamp.ts';

const maxPayloadCharacters = 256 * 1024;
/** Three messages a level, and protobuf decoders refuse more than a hundred. */
const maxDepth = 30;

/** What an entry gets when it arrives: an insertId in order of arrival, and the time. */
export type Stamp = () => { insertId: string; receiveTimestamp: Timestamp };

export function makeStamp(clock: () => Timestamp): Stamp {
  const run = Date.now().toString(36).padStart(9, '0') + randomBytes(2).toString('hex');
  let count = 0;
  return () => {
    count += 1;
    return { insertId: `${run}${count.toString(36).padStart(7, '0')}`, receiveTimestamp: clock() };
  };
}

/** An entry from inside the local cloud, as it is stored. */
export function fromSink(entry: NewLogEntry, stamp: Stamp): StoredEntry {
  const { insertId, receiveTimestamp } = stamp();
  return {
    logName: entry.logName,
    insertId,
    timestamp: entry.timestamp ? fromDate(entry.timestamp) : receiveTimestamp,
    receiveTimestamp,
    severity: parseSeverity(entry.severity ?? 'DEFAULT') ?? 'DEFAULT',
    resource: entry.resource,
    ...(entry.labels && { labels: entry.labels }),
    ...boundPayload(entry),
    ...(entry.httpRequest && { httpRequest: fromRequest(entry.httpRequest) }),
    ...(entry.trace !== undefined && { trace: entry.trace }),
    ...(entry.spanId !== undefined && { spanId: entry.spanId }),
  };
}

/** As Google bounds an entry: 256 KiB. A service that prints more gets the beginning stored. */
export function boundPayload(entry: Pick<NewLogEntry, 'textPayload' | 'jsonPayload'>) {
  if (entry.jsonPayload !== undefined) {
    const jsonPayload = clipDepth(entry.jsonPayload);
    const text = JSON.stringify(jsonPayload);
    return text.length <= maxPayloadCharacters
      ? { jsonPayload }
      : { textPayload: text.slice(0, maxPayloadCharacters) };
  }
  return entry.textPayload === undefined
    ? {}
    : { textPayload: entry.textPayload.slice(0, maxPayloadCharacters) };
}

function fromRequest({ latencySeconds, ...request }: NonNullable<NewLogEntry['httpRequest']>) {
  return { ...request, latency: `${latencySeconds.toFixed(9)}s` };
}

/** A printed line of ten thousand brackets must not overflow a stack, here or in a client. */
function clipDepth(payload: Record<string, unknown>): Record<string, unknown> {
  const clip = (value: unknown, depth: number): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (depth === 0) return '…';
    if (Array.isArray(value)) return value.map((inner) => clip(inner, depth - 1));
    return clipFields(value, depth);
  };
  const clipFields = (fields: object, depth: number) =>
    Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, clip(value, depth - 1)]));
  return clipFields(payload, maxDepth);
}
