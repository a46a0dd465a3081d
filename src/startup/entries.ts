import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type LogEntry, severities } from '../cloud/ports/logs.ts';

/** No more entries are taken from one file. */
const maxEntries = 5_000_000;

const object = z.record(z.string(), z.unknown());
const labels = z.record(z.string(), z.string()).catch({});

/** One entry as `gcloud logging read --format=json` and the REST API print it. */
const entrySchema = z.object({
  timestamp: z.iso.datetime({ offset: true }),
  insertId: z.string().min(1).optional().catch(undefined),
  severity: z.enum(severities).catch('DEFAULT'),
  logName: z.string().catch(''),
  resource: z.object({ labels }).catch({ labels: {} }),
  labels,
  textPayload: z.string().optional().catch(undefined),
  jsonPayload: object.optional().catch(undefined),
  protoPayload: object.optional().catch(undefined),
  httpRequest: z
    .object({
      requestMethod: z.string().catch(''),
      requestUrl: z.string().catch(''),
      status: z.coerce.number().int().catch(0),
      latency: z.string().catch(''),
    })
    .optional()
    .catch(undefined),
  trace: z.string().catch(''),
});

type RawEntry = z.infer<typeof entrySchema>;

export type ParsedEntries = { entries: LogEntry[]; skipped: number };

/** Takes an array of entries, or one; what is no entry is skipped and counted. */
export function parseEntries(json: unknown): ParsedEntries {
  const items: readonly unknown[] = Array.isArray(json) ? json : [json];
  const entries: LogEntry[] = [];
  for (const item of items.slice(0, maxEntries)) {
    const parsed = entrySchema.safeParse(item);
    if (parsed.success) entries.push(toEntry(parsed.data));
  }
  return { entries, skipped: items.length - entries.length };
}

/** Takes a file's text: a JSON array, one entry, or one entry a line. A torn line is skipped and counted. */
export function parseEntriesText(text: string): ParsedEntries {
  try {
    return parseEntries(JSON.parse(text));
  } catch {
    return parseLines(text);
  }
}

function parseLines(text: string): ParsedEntries {
  const items = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [parseLine(line)]));
  return parseEntries(items);
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function toEntry(raw: RawEntry): LogEntry {
  const resource = raw.resource.labels;
  const { httpRequest } = raw;
  return {
    insertId: raw.insertId ?? derivedId(raw),
    timestamp: inUtc(raw.timestamp),
    severity: raw.severity,
    log: logOf(raw.logName),
    service: resource['service_name'] ?? '',
    revision: resource['revision_name'] ?? '',
    instance: raw.labels['instanceId'] ?? '',
    payload: payloadOf(raw),
    ...(httpRequest && {
      request: {
        method: httpRequest.requestMethod,
        url: httpRequest.requestUrl,
        status: httpRequest.status,
        latencySeconds: Number.parseFloat(httpRequest.latency) || 0,
      },
    }),
    trace: raw.trace,
  };
}

function payloadOf(raw: RawEntry): LogEntry['payload'] {
  if (raw.textPayload !== undefined) return { kind: 'text', text: raw.textPayload };
  if (raw.jsonPayload) return { kind: 'json', json: raw.jsonPayload };
  return raw.protoPayload ? { kind: 'proto', json: raw.protoPayload } : { kind: 'none' };
}

function logOf(logName: string): string {
  const log = logName.slice(logName.lastIndexOf('/logs/') + (logName.includes('/logs/') ? 6 : 1));
  try {
    return decodeURIComponent(log);
  } catch {
    return log;
  }
}

const inUtc = (timestamp: string): string =>
  timestamp.endsWith('Z') ? timestamp : new Date(timestamp).toISOString();

/** The same content gives the same id, so that a repeat is known as one. */
const derivedId = (raw: RawEntry): string =>
  `content-${createHash('sha256').update(JSON.stringify(raw)).digest('hex').slice(0, 20)}`;
