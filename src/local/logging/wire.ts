import { status } from '@grpc/grpc-js';
import { z } from 'zod';
import { RpcError } from '../grpc.ts';
import { parseSeverity, type StoredEntry } from './entry.ts';
import { boundPayload, type Stamp } from './intake.ts';
import { fromProto, toProto } from './timestamp.ts';

/** The decoded form of the messages, as far as the service reads them. */
const int64 = z.union([z.string(), z.number()]).transform(Number);
const timestampSchema = z.object({ seconds: int64.default(0), nanos: z.number().default(0) });
const durationSchema = timestampSchema;
const strings = z.record(z.string(), z.string());
const resourceSchema = z.object({ type: z.string().default(''), labels: strings.default({}) });

export const entrySchema = z.object({
  logName: z.string().default(''),
  resource: resourceSchema.optional(),
  timestamp: timestampSchema.optional(),
  severity: z.union([z.string(), z.number()]).default('DEFAULT'),
  insertId: z.string().default(''),
  labels: strings.optional(),
  textPayload: z.string().optional(),
  jsonPayload: z.unknown().optional(),
  protoPayload: z.unknown().optional(),
  httpRequest: z.looseObject({ latency: durationSchema.optional() }).optional(),
  operation: z.record(z.string(), z.unknown()).optional(),
  sourceLocation: z.record(z.string(), z.unknown()).optional(),
  trace: z.string().optional(),
  spanId: z.string().optional(),
  traceSampled: z.boolean().optional(),
  split: z.unknown().optional(),
});

export const writeSchema = z.object({
  logName: z.string().default(''),
  resource: resourceSchema.optional(),
  labels: strings.default({}),
  entries: z.array(entrySchema).default([]),
  partialSuccess: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});

export const listSchema = z.object({
  resourceNames: z.array(z.string()).default([]),
  filter: z.string().default(''),
  orderBy: z.string().default(''),
  pageSize: z.number().default(0),
  pageToken: z.string().default(''),
});

export const tailSchema = z.object({
  resourceNames: z.array(z.string()).default([]),
  filter: z.string().default(''),
  bufferWindow: durationSchema.optional(),
});

export const listLogsSchema = z.object({
  parent: z.string().default(''),
  resourceNames: z.array(z.string()).default([]),
  pageSize: z.number().default(0),
  pageToken: z.string().default(''),
});

export const deleteLogSchema = z.object({ logName: z.string().default('') });

const logNamePattern = /^projects\/[a-z0-9][a-z0-9:.-]*\/logs\/[A-Za-z0-9/_.%-]{1,511}$/;
const insertIdPattern = /^[A-Za-z0-9_.\-/%=+:]{1,512}$/;

/** An entry of a WriteLogEntries request with the request's common values, as it is stored. */
export function fromWire(
  entry: z.output<typeof entrySchema>,
  common: Pick<z.output<typeof writeSchema>, 'logName' | 'resource' | 'labels'>,
  stamp: Stamp,
): StoredEntry {
  const logName = entry.logName || common.logName;
  const resource = entry.resource ?? common.resource;
  if (!logNamePattern.test(logName)) {
    throw invalid(`Log name '${logName}' is not of the form projects/PROJECT_ID/logs/LOG_ID`);
  }
  if (!resource?.type) throw invalid('A monitored resource type is required');
  if (entry.protoPayload) throw invalid('The local cloud does not store protoPayload');
  if (entry.split) throw invalid('The local cloud does not store split entries');
  if (entry.insertId && !insertIdPattern.test(entry.insertId)) throw invalid('Malformed insert_id');
  const severity = parseSeverity(entry.severity);
  if (!severity) throw invalid(`Unknown severity '${entry.severity}'`);
  const { insertId, receiveTimestamp } = stamp();
  if (entry.timestamp && !isTime(entry.timestamp)) throw invalid('Timestamp out of range');
  for (const [of, all] of Object.entries({ labels: entry.labels ?? {}, 'resource.labels': resource.labels }))
    checkLabels(of, all);
  const { httpRequest, operation, sourceLocation, trace, spanId, traceSampled } = entry;
  const labels = { ...common.labels, ...entry.labels };
  return {
    logName,
    insertId: entry.insertId || insertId,
    timestamp: entry.timestamp ? fromProto(entry.timestamp) : receiveTimestamp,
    receiveTimestamp,
    severity,
    resource: completed(resource, logName),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...boundPayload({
      ...(entry.jsonPayload !== undefined && { jsonPayload: fromStruct(entry.jsonPayload) }),
      ...(entry.textPayload !== undefined && { textPayload: entry.textPayload }),
    }),
    ...(httpRequest && { httpRequest: requestFromWire(httpRequest) }),
    ...(operation && { operation }),
    ...(sourceLocation && { sourceLocation }),
    ...(trace !== undefined && { trace }),
    ...(spanId !== undefined && { spanId }),
    ...(traceSampled !== undefined && { traceSampled }),
  };
}

/** The years 1 to 9999, as in every proto. */
function isTime({ seconds, nanos }: z.output<typeof timestampSchema>): boolean {
  return seconds >= -62_135_596_800 && seconds < 253_402_300_800 && nanos >= 0 && nanos < 1e9;
}

/** Source: cloud.google.com/logging/quotas. */
function checkLabels(of: string, labels: Record<string, string>): void {
  const all = Object.entries(labels);
  if (all.length > 64) throw invalid(`${of}: at most 64 are allowed`);
  for (const [key, value] of all) {
    if (key.length > 512) throw invalid(`${of}: a key has more than 512 characters`);
    if (value.length > 64 * 1024) throw invalid(`${of}: the value of '${key}' is longer than 64 KiB`);
  }
}

/** The project of a `global` entry is known by its log, and told. */
function completed({ type, labels }: z.output<typeof resourceSchema>, logName: string) {
  if (type !== 'global') return { type, labels };
  return { type, labels: { project_id: logName.split('/')[1] ?? '', ...labels } };
}

export function toWire(entry: StoredEntry): object {
  const { jsonPayload, httpRequest, ...rest } = entry;
  return {
    ...rest,
    timestamp: toProto(entry.timestamp),
    receiveTimestamp: toProto(entry.receiveTimestamp),
    ...(jsonPayload && { jsonPayload: toStruct(jsonPayload) }),
    ...(httpRequest && { httpRequest: requestToWire(httpRequest) }),
  };
}

function requestFromWire({ latency, ...rest }: NonNullable<z.output<typeof entrySchema>['httpRequest']>) {
  if (!latency) return rest;
  return { ...rest, latency: `${latency.seconds}.${String(latency.nanos).padStart(9, '0')}s` };
}

function requestToWire(request: Record<string, unknown>): object {
  const { latency, ...rest } = request;
  if (typeof latency !== 'string') return rest;
  const [seconds = '0', fraction = ''] = latency.replace(/s$/, '').split('.');
  return { ...rest, latency: { seconds, nanos: Number(fraction.padEnd(9, '0')) } };
}

/** `google.protobuf.Struct` of a plain object. Numbers that JSON does not know become null, as in JSON. */
function toStruct(fields: Record<string, unknown>): object {
  return { fields: Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, toValue(value)])) };
}

function toValue(value: unknown): object {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return Number.isFinite(value) ? { numberValue: value } : { nullValue: 'NULL_VALUE' };
    case 'object':
      if (value === null) return { nullValue: 'NULL_VALUE' };
      if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } };
      return { structValue: toStruct({ ...value }) };
    default:
      return { nullValue: 'NULL_VALUE' };
  }
}

const structSchema = z.object({ fields: z.record(z.string(), z.unknown()).default({}) });
const valueSchema = z.object({
  stringValue: z.string().optional(),
  boolValue: z.boolean().optional(),
  numberValue: z.number().optional(),
  structValue: structSchema.optional(),
  listValue: z.object({ values: z.array(z.unknown()).default([]) }).optional(),
});

function fromStruct(struct: unknown): Record<string, unknown> {
  const { fields } = structSchema.parse(struct);
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, fromValue(value)]));
}

function fromValue(wire: unknown): unknown {
  const value = valueSchema.parse(wire);
  if (value.structValue) return fromStruct(value.structValue);
  if (value.listValue) return value.listValue.values.map(fromValue);
  return value.stringValue ?? value.boolValue ?? value.numberValue ?? null;
}

export function invalid(message: string): RpcError {
  return new RpcError(status.INVALID_ARGUMENT, message);
}
