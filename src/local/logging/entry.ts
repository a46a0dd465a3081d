import { z } from 'zod';
import { parseTimestamp } from './timestamp.ts';

/** Rank by name, as Google numbers them; a filter compares by rank. */
export const severityRank = {
  DEFAULT: 0,
  DEBUG: 100,
  INFO: 200,
  NOTICE: 300,
  WARNING: 400,
  ERROR: 500,
  CRITICAL: 600,
  ALERT: 700,
  EMERGENCY: 800,
} as const;

export type SeverityName = keyof typeof severityRank;

const severityNames = new Map<string | number, SeverityName>();
for (const name of Object.keys(severityRank) as SeverityName[]) {
  severityNames.set(name, name);
  severityNames.set(severityRank[name], name);
}

/** By name in any case, or by rank. */
export function parseSeverity(value: string | number): SeverityName | undefined {
  return severityNames.get(typeof value === 'string' ? value.toUpperCase() : value);
}

const strings = z.record(z.string(), z.string());
const json = z.record(z.string(), z.unknown());
const timestamp = z.string().transform((text, context) => {
  const parsed = parseTimestamp(text);
  if (parsed !== undefined) return parsed;
  context.addIssue('not a timestamp');
  return z.NEVER;
});

/** One entry in the API's JSON form: a field path of the filter language is a path into it. */
export const storedEntrySchema = z.object({
  logName: z.string(),
  insertId: z.string().regex(/^[\x20-\x7e]{1,512}$/),
  timestamp,
  receiveTimestamp: timestamp,
  severity: z.enum(Object.keys(severityRank) as [SeverityName, ...SeverityName[]]),
  resource: z.object({ type: z.string(), labels: strings }),
  labels: strings.optional(),
  textPayload: z.string().optional(),
  jsonPayload: json.optional(),
  /** Durations as the JSON form has them: `0.25s`. */
  httpRequest: json.optional(),
  operation: json.optional(),
  sourceLocation: json.optional(),
  trace: z.string().optional(),
  spanId: z.string().optional(),
  traceSampled: z.boolean().optional(),
});

export type StoredEntry = z.output<typeof storedEntrySchema>;

/** The one total order of entries. Equal keys are the same entry: Google shows it once. */
export function compareEntries(a: EntryKey, b: EntryKey): number {
  return (
    compareText(a.timestamp, b.timestamp) ||
    compareText(a.insertId, b.insertId) ||
    compareText(a.logName, b.logName)
  );
}

export type EntryKey = Pick<StoredEntry, 'timestamp' | 'insertId' | 'logName'>;

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
