import type { Call } from './call.ts';

export const severities = [
  'DEFAULT',
  'DEBUG',
  'INFO',
  'NOTICE',
  'WARNING',
  'ERROR',
  'CRITICAL',
  'ALERT',
  'EMERGENCY',
] as const;

export type Severity = (typeof severities)[number];

/** One log entry, whichever road it came by: the API over gRPC, or a file of `gcloud logging read`. */
export type LogEntry = {
  insertId: string;
  /** RFC 3339, UTC, as given (up to nanoseconds). */
  timestamp: string;
  severity: Severity;
  /** The last part, decoded: `run.googleapis.com/stdout`, `cloudaudit.googleapis.com/system_event`. */
  log: string;
  service: string;
  revision: string;
  /** `labels.instanceId`, '' when unknown. */
  instance: string;
  payload:
    | { kind: 'text'; text: string }
    | { kind: 'json'; json: Record<string, unknown> }
    | { kind: 'proto'; json: Record<string, unknown> }
    | { kind: 'none' };
  request?: { method: string; url: string; status: number; latencySeconds: number; userAgent?: string };
  /** `projects/P/traces/ID`, '' when none. */
  trace: string;
};

export type LogTail = AsyncIterable<LogEntry[]> & { close(): void };

export type LogsPort = {
  /** Entries that match, oldest first, at most `limit`. */
  list(query: { project: string; filter: string; limit: number }, call: Call): Promise<LogEntry[]>;
  /** The newest entries that match, returned oldest first. */
  listNewest(query: { project: string; filter: string; limit: number }, call: Call): Promise<LogEntry[]>;
  /** Entries as they arrive. Iterating throws a CloudError when the stream is lost; it ends quietly on close. */
  tail(query: { project: string; filter: string }, call: Call): LogTail;
};
