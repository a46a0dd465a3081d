import type { google } from '@google-cloud/logging-api/build/protos/protos.js';
import { type LogEntry, type Severity, severities } from './ports/index.ts';

type ApiEntry = google.logging.v2.ILogEntry;
type Struct = google.protobuf.IStruct;
type Value = google.protobuf.IValue;

/** Decodes the `Any` of an audit entry; what it cannot decode has only its `@type`. */
export type AnyDecoder = (any: google.protobuf.IAny) => Record<string, unknown>;

/** A log may be written by anybody: deeper than this a value is cut. */
const maxDepth = 24;

export function toLogEntry(entry: ApiEntry, decodeAny: AnyDecoder): LogEntry {
  const labels = entry.resource?.labels ?? {};
  const request = toRequest(entry.httpRequest);
  return {
    insertId: entry.insertId ?? '',
    timestamp: toRfc3339(entry.timestamp),
    severity: toSeverity(entry.severity),
    log: decodeLogName(entry.logName ?? ''),
    service: labels['service_name'] ?? '',
    revision: labels['revision_name'] ?? '',
    instance: entry.labels?.['instanceId'] ?? '',
    payload: toPayload(entry, decodeAny),
    ...(request ? { request } : {}),
    trace: entry.trace ?? '',
  };
}

function toPayload(entry: ApiEntry, decodeAny: AnyDecoder): LogEntry['payload'] {
  if (entry.jsonPayload) return { kind: 'json', json: structToJson(entry.jsonPayload, 0) };
  if (entry.protoPayload) return { kind: 'proto', json: decodeAny(entry.protoPayload) };
  // Only the member of the oneof that is set is there at all.
  if (typeof entry.textPayload === 'string') return { kind: 'text', text: entry.textPayload };
  return { kind: 'none' };
}

export function structToJson(struct: Struct, depth: number): Record<string, unknown> {
  const fields = Object.entries(struct.fields ?? {});
  return Object.fromEntries(fields.map(([key, value]) => [key, valueToJson(value, depth + 1)]));
}

function valueToJson(value: Value, depth: number): unknown {
  if (depth > maxDepth) return '…';
  if (value.structValue) return structToJson(value.structValue, depth);
  if (value.listValue) return (value.listValue.values ?? []).map((item) => valueToJson(item, depth + 1));
  return value.stringValue ?? value.numberValue ?? value.boolValue ?? null;
}

function toSeverity(severity: unknown): Severity {
  return severities.find((name) => name === severity) ?? 'DEFAULT';
}

/** Always nine digits, so that these timestamps sort as text. */
export function toRfc3339(time: google.protobuf.ITimestamp | null | undefined): string {
  if (!time) return '';
  const second = new Date(Number(time.seconds ?? 0) * 1000).toISOString().slice(0, 19);
  return `${second}.${String(time.nanos ?? 0).padStart(9, '0')}Z`;
}

function decodeLogName(logName: string): string {
  const last = logName.slice(logName.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

function toRequest(request: ApiEntry['httpRequest']): LogEntry['request'] {
  if (!request) return undefined;
  const latency = request.latency;
  return {
    method: request.requestMethod ?? '',
    ...(request.userAgent ? { userAgent: request.userAgent } : {}),
    url: request.requestUrl ?? '',
    status: request.status ?? 0,
    latencySeconds: Number(latency?.seconds ?? 0) + (latency?.nanos ?? 0) / 1e9,
  };
}
