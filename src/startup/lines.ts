import type { Format, JsonRule, LineRule, StartupFormats } from './formats.ts';
import { record } from './message.ts';
import type { SystemStatus } from './profile.ts';

/** What a line says of the start, by a format. */
export type StartupFact =
  | {
      says: 'phase';
      name: string;
      state: 'started' | 'completed' | 'failed' | 'timed';
      seconds: number | null;
      detail: string;
    }
  | { says: 'system'; name: string; status: Exclude<SystemStatus, 'not-reported'>; detail: string }
  | { says: 'total'; seconds: number }
  | { says: 'complete'; seconds: number | null }
  | { says: 'listening'; address: string };

export type LineMatcher = {
  ofLine(line: string): StartupFact | undefined;
  ofFields(fields: Record<string, unknown>): StartupFact | undefined;
};

type FieldsReader = (fields: Record<string, unknown>) => StartupFact | undefined;

type Parts = {
  name?: string | undefined;
  seconds?: string | undefined;
  ms?: string | undefined;
  status?: string | undefined;
  detail?: string | undefined;
};

const healthyWords = new Set([
  '✅',
  '✓',
  '✔',
  '🟢',
  'pass',
  'passed',
  'ok',
  'up',
  'healthy',
  'ready',
  'connected',
  'operational',
  'fully operational',
  'available',
  'success',
  'succeeded',
  'active',
  'running',
  'initialized',
  'true',
  'green',
]);
const failedWords = new Set([
  '❌',
  '✗',
  '✘',
  '🔴',
  '🚨',
  'fail',
  'failed',
  'error',
  'down',
  'unhealthy',
  'critical',
  'disconnected',
  'unavailable',
  'not operational',
  'offline',
  'broken',
  'false',
  'timeout',
  'red',
]);
const startedWords = new Set([
  'started',
  'starting',
  'start',
  'begin',
  'began',
  'running',
  'in_progress',
  'in-progress',
  'pending',
]);

/** Compiles formats once; a pattern that is no RegExp throws a SyntaxError here, not at a log line. */
export function compileFormats(formats: StartupFormats): LineMatcher {
  const lines = formats.flatMap((format) => format.lines.map((rule) => compileLine(rule, format)));
  const fields = compileFields(formats);
  return { ofLine: (line) => firstOf(lines, line), ofFields: (json) => firstOf(fields, json) };
}

/** Rules by the field they look at first: most entries lack it, and then none of its rules is tried. */
function compileFields(formats: StartupFormats): readonly FieldsReader[] {
  const byField = new Map<string, FieldsReader[]>();
  for (const format of formats) {
    for (const rule of format.json) {
      const first = Object.keys(rule.where)[0] ?? '';
      byField.set(first, [...(byField.get(first) ?? []), compileJson(rule, format)]);
    }
  }
  return [...byField].map(([first, rules]) => {
    const read = reader(first);
    return (json) => (first === '' || read(json) !== undefined ? firstOf(rules, json) : undefined);
  });
}

function firstOf<From, To>(readers: readonly ((from: From) => To | undefined)[], from: From): To | undefined {
  for (const read of readers) {
    const found = read(from);
    if (found !== undefined) return found;
  }
  return undefined;
}

function compileLine(rule: LineRule, format: Format): (line: string) => StartupFact | undefined {
  const pattern = new RegExp(rule.pattern, (rule.flags ?? '').replace(/[gy]/g, ''));
  const { contains } = rule;
  return (line) => {
    if (contains !== undefined && !line.includes(contains)) return undefined;
    const match = pattern.exec(line);
    if (!match) return undefined;
    const parts: Parts = { name: rule.name, ...match.groups };
    return toFact(rule.says, parts, format);
  };
}

function compileJson(rule: JsonRule, format: Format): FieldsReader {
  const where = Object.entries(rule.where).map(([key, value]) => ({ read: reader(key), value }));
  const fields = Object.entries(rule.fields).map(([part, keys]) => ({
    part,
    readers: keys.split('|').map(reader),
  }));
  return (json) => {
    for (const { read, value } of where) {
      const found = read(json);
      if (found === undefined || (value !== '*' && found !== value)) return undefined;
    }
    const parts: Record<string, string> = {};
    for (const { part, readers } of fields) {
      const value = firstOf(readers, json);
      if (value !== undefined) parts[part] = value;
    }
    return toFact(rule.says, parts, format);
  };
}

/** Reads `a.b`, also where a logger wrote the dotted name as one key. */
function reader(path: string): (json: Record<string, unknown>) => string | undefined {
  const steps = path.split('.');
  return (json) => {
    let value: unknown = json[path];
    if (value === undefined && steps.length > 1) {
      value = json;
      for (const step of steps) value = record(value)?.[step];
    }
    if (typeof value === 'string') return value.slice(0, 400);
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
  };
}

function toFact(says: LineRule['says'], parts: Parts, format: Format): StartupFact | undefined {
  const seconds = secondsIn(parts);
  const detail = (parts.detail ?? '').trim();
  if (says === 'total') return seconds === null ? undefined : { says, seconds };
  if (says === 'complete') return { says, seconds };
  if (says === 'listening') return { says, address: detail };
  const name = (parts.name ?? '').trim().slice(0, 80);
  if (name === '') return undefined;
  if (says === 'system') return { says, name, status: statusOf(parts.status, format), detail };
  const state = stateOf(says, parts.status, format);
  const lasted = seconds ?? (state === 'failed' ? secondsUntilFailure(detail) : null);
  return { says: 'phase', name, state, seconds: lasted, detail };
}

/** A failed phase often tells its time only in its reason: `timeout after 25.0s`. */
function secondsUntilFailure(detail: string): number | null {
  const found = /\bafter (\d+(?:\.\d+)?)\s?s(?:ec(?:ond)?s?)?\b/.exec(detail)?.[1];
  return found === undefined ? null : Number(found);
}

const perUnit: Record<string, number> = { ms: 0.001, us: 0.000_001, µs: 0.000_001, m: 60, min: 60 };

function secondsIn(parts: Parts): number | null {
  const [, seconds, unit] = /^(\d+(?:\.\d+)?)\s?([a-zµ]*)/i.exec(parts.seconds ?? '') ?? [];
  if (seconds !== undefined)
    return Math.round(Number(seconds) * (perUnit[unit ?? ''] ?? 1) * 1_000_000) / 1_000_000;
  const ms = Number.parseFloat(parts.ms ?? '');
  return Number.isFinite(ms) ? Math.round(ms * 1000) / 1_000_000 : null;
}

/** A word that nobody knows is never healthy. */
function statusOf(status: string | undefined, format: Format): 'healthy' | 'degraded' | 'failed' {
  const word = wordOf(status);
  if (word === '' || format.statusWords?.healthy.includes(word)) return 'healthy';
  if (format.statusWords?.degraded.includes(word)) return 'degraded';
  if (format.statusWords?.failed.includes(word)) return 'failed';
  if (healthyWords.has(word)) return 'healthy';
  return failedWords.has(word) ? 'failed' : 'degraded';
}

function stateOf(
  says: LineRule['says'],
  status: string | undefined,
  format: Format,
): 'started' | 'completed' | 'failed' | 'timed' {
  if (says === 'phase-started') return 'started';
  if (says === 'phase-failed') return 'failed';
  const word = wordOf(status);
  if (startedWords.has(word)) return 'started';
  if (word !== '' && statusOf(word, format) === 'failed') return 'failed';
  return says === 'phase-timing' ? 'timed' : 'completed';
}

const wordOf = (status: string | undefined): string =>
  (status ?? '')
    .replace(/[\ufe0f:]/g, '')
    .trim()
    .toLowerCase();
