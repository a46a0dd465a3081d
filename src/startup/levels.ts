import type { Severity } from '../cloud/ports/logs.ts';

/** How bad an entry says it is: `unknown` when neither it nor its line says, `fatal` where loggers end the process. */
export type Level = 'unknown' | 'info' | 'warning' | 'error' | 'critical' | 'fatal';

const bySeverity: Record<Severity, Level> = {
  DEFAULT: 'unknown',
  DEBUG: 'info',
  INFO: 'info',
  NOTICE: 'info',
  WARNING: 'warning',
  ERROR: 'error',
  CRITICAL: 'critical',
  ALERT: 'critical',
  EMERGENCY: 'critical',
};

export const levelOfSeverity = (severity: Severity): Level => bySeverity[severity];

const byWord: Record<string, Level> = {
  trace: 'info',
  verbose: 'info',
  debug: 'info',
  dbug: 'info',
  info: 'info',
  information: 'info',
  notice: 'info',
  warn: 'warning',
  warning: 'warning',
  err: 'error',
  eror: 'error',
  error: 'error',
  severe: 'error',
  fail: 'error',
  critical: 'critical',
  crit: 'critical',
  fatal: 'fatal',
  panic: 'fatal',
  dpanic: 'fatal',
  alert: 'critical',
  emerg: 'critical',
  emergency: 'critical',
};

export const levelOfWord = (word: string): Level => byWord[word.toLowerCase()] ?? 'unknown';

/** pino's and bunyan's numbers. */
export function levelOfNumber(level: number): Level {
  if (level >= 60) return 'fatal';
  if (level >= 50) return 'error';
  if (level >= 40) return 'warning';
  return level >= 10 ? 'info' : 'unknown';
}

const words =
  'TRACE|VERBOSE|DEBUG|DBUG|INFO|INFORMATION|NOTICE|WARN|WARNING|ERR|EROR|ERROR|SEVERE|FAIL|CRIT|CRITICAL|FATAL|PANIC|ALERT|EMERG|EMERGENCY';

/** Where loggers put the level of a text line; the first that matches says it. */
const places = [
  // [2025-01-01 …] [14] [ERROR] …; [error] …
  new RegExp(`^.{0,60}?[[<](${words})[\\]>]`, 'i'),
  // ERROR: …; fail: Category[0]; 2025-01-01 … FATAL:  …
  new RegExp(`^(?:[\\d\\-T:.,+Z /]{8,40})?(?:\\S+: )?\\W{0,8}(${words}):\\s`, 'i'),
  // 2025-01-01 12:00:00.000 [main] ERROR …; 2025-01-01T12:00:00Z\tERROR\t…
  new RegExp(`^.{0,40}?\\d{1,2}:\\d{2}:\\d{2}\\S*\\s+(?:\\[[^\\]]{0,80}\\]\\s+|\\S+\\s+){0,3}?(${words})\\b`),
  new RegExp(`^\\d{4}-\\d{2}-\\d{2}T\\S+\\s+(?:\\[[^\\]]{0,80}\\]\\s+)?(${words})\\b`),
  // ERROR  [main] …; ERROR 14 --- …
  new RegExp(`^(${words})(?:\\s{2,}|\\s+[[\\d(])`),
  /^npm (ERR|error)\b/,
  // level=error; severity="ERROR"
  new RegExp(`\\b(?:level|lvl|severity)="?(${words})\\b`, 'i'),
] as const;
/** klog: E0101 12:00:00.000000; Ruby's Logger: E, [2025-… */
const initial = /^(?:([IWEFC])\d{4} \d{2}:\d{2}:\d{2}|([DIWEF]), \[)/;
const byInitial: Record<string, Level> = {
  D: 'info',
  I: 'info',
  W: 'warning',
  E: 'error',
  F: 'fatal',
  C: 'critical',
};

const anyWord = new RegExp(`(?:${words})`, 'i');
/** Loggers put the level near the beginning. */
const head = 160;

/** What a plain text line says of its own level. */
export function levelOfLine(whole: string): Level {
  const line = whole.length > head ? whole.slice(0, head) : whole;
  const letter = initial.exec(line);
  if (letter) return byInitial[letter[1] ?? letter[2] ?? ''] ?? 'unknown';
  if (!anyWord.test(line)) return 'unknown';
  for (const place of places) {
    const word = place.exec(line)?.[1];
    if (word !== undefined) return levelOfWord(word);
  }
  return 'unknown';
}
