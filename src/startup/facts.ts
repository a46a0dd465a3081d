import type { Format, LineRule } from './formats.ts';
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

/** What a rule's groups or fields caught. */
export type Parts = {
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

/** Undefined where the parts do not make one. */
export function toFact(says: LineRule['says'], parts: Parts, format: Format): StartupFact | undefined {
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
