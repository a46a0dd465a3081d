import type { NewLogEntry, RunnableRevision } from '../contracts.ts';

type Payload = Pick<
  NewLogEntry,
  'severity' | 'timestamp' | 'textPayload' | 'jsonPayload' | 'trace' | 'spanId' | 'labels'
>;

const severities = new Map(
  ['DEFAULT', 'DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL', 'ALERT', 'EMERGENCY']
    .map((name): [string, string] => [name, name])
    .concat([
      ['WARN', 'WARNING'],
      ['ERR', 'ERROR'],
      ['FATAL', 'CRITICAL'],
    ]),
);

const day = 24 * 3600 * 1000;
const deepest = 100;

/**
 * What Cloud Run's log agent makes of one line a container prints: a JSON object becomes jsonPayload and lends its
 * special fields to the entry; everything else is text without a severity.
 * See https://cloud.google.com/logging/docs/structured-logging#special-payload-fields. A string `timestamp` is not
 * special and stays in the payload; a severity that is none stays as well.
 */
export function parseLine(line: string, now: Date): Payload {
  const object = parseObject(line);
  if (!object) return { textPayload: line };
  const entry: Payload = {};
  const left = new Map(Object.entries(object));
  takeSeverity(left, entry);
  takeTime(left, entry, now);
  takeString(left, 'logging.googleapis.com/trace', (value) => {
    entry.trace = value;
  });
  takeString(left, 'logging.googleapis.com/spanId', (value) => {
    entry.spanId = value;
  });
  takeLabels(left, entry);
  entry.jsonPayload = Object.fromEntries(left);
  return entry;
}

/** The monitored resource that every entry of a revision names. */
export function revisionResource(
  revision: Pick<RunnableRevision, 'project' | 'location' | 'service' | 'revision'>,
): NewLogEntry['resource'] {
  return {
    type: 'cloud_run_revision',
    labels: {
      project_id: revision.project,
      location: revision.location,
      service_name: revision.service,
      revision_name: revision.revision,
      configuration_name: revision.service,
    },
  };
}

export function runLogName(project: string, log: 'stdout' | 'stderr' | 'requests' | 'varlog/system'): string {
  return `projects/${project}/logs/${encodeURIComponent(`run.googleapis.com/${log}`)}`;
}

function parseObject(line: string): Record<string, unknown> | undefined {
  const text = line.trim();
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && !isDeeperThan(value, deepest) ? value : undefined;
  } catch {
    return undefined;
  }
}

function takeSeverity(left: Map<string, unknown>, entry: Payload): void {
  takeString(left, 'severity', (value) => {
    const severity = severities.get(value.toUpperCase());
    if (!severity) return false;
    entry.severity = severity;
    return true;
  });
}

function takeTime(left: Map<string, unknown>, entry: Payload, now: Date): void {
  const accept = (time: number): boolean => {
    // Cloud Logging discards entries far in the future or past; the time of arrival stands then.
    if (!(time > now.getTime() - 30 * day && time < now.getTime() + day)) return false;
    entry.timestamp ??= new Date(time);
    return true;
  };
  const stamp = left.get('timestamp');
  if (isRecord(stamp) && accept(milliseconds(stamp['seconds'], stamp['nanos']))) left.delete('timestamp');
  if (accept(milliseconds(left.get('timestampSeconds'), left.get('timestampNanos')))) {
    left.delete('timestampSeconds');
    left.delete('timestampNanos');
  }
  takeString(left, 'time', (value) => accept(Date.parse(value)));
}

function takeLabels(left: Map<string, unknown>, entry: Payload): void {
  const key = 'logging.googleapis.com/labels';
  const value = left.get(key);
  if (!isRecord(value)) return;
  entry.labels = Object.fromEntries(Object.entries(value).map(([name, label]) => [name, String(label)]));
  left.delete(key);
}

function takeString(
  left: Map<string, unknown>,
  key: string,
  // biome-ignore lint/suspicious/noConfusingVoidType: a taker that always takes need not say so
  take: (value: string) => boolean | void,
): void {
  const value = left.get(key);
  if (typeof value === 'string' && take(value) !== false) left.delete(key);
}

function milliseconds(seconds: unknown, nanos: unknown): number {
  return seconds === undefined ? Number.NaN : Number(seconds) * 1000 + Number(nanos ?? 0) / 1e6;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Deeper values would overflow the stack of whatever serialises them later. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((child) => isDeeperThan(child, levels - 1));
}
