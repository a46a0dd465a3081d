import type { LogEntry } from '../cloud/ports/index.ts';
import { messageOf } from '../startup/message.ts';
import { asCause } from '../startup/text.ts';
import { tokensOf } from '../startup/traceback.ts';
import { normaliseMessage } from './normalise-message.ts';
import { ownAgent } from './own-agent.ts';

/** One kind of error in a log. */
export type LogError = {
  /** Its first occurrence, a line for a person. */
  sample: string;
  count: number;
  /** insertIds, bounded. */
  entries: string[];
};

const maxErrors = 2_000;
const maxEntries = 10;
const severe: ReadonlySet<string> = new Set(['error', 'critical', 'fatal']);
const severeEntry: ReadonlySet<string> = new Set(['ERROR', 'CRITICAL', 'ALERT', 'EMERGENCY']);
/** Lines of a trace that show code, not what happened. */
const frame = /^\s+at |^\s*File "|^\s*[\^~]+\s*$|^Traceback \(|^\s*\.\.\. \d+ more/;

/** The errors of a log by their normalised messages. */
export class LogErrors {
  readonly #errors = new Map<string, LogError>();

  add(entry: LogEntry): void {
    const line = errorOf(entry);
    if (line === undefined) return;
    const signature = normaliseMessage(line);
    const known = this.#errors.get(signature);
    if (known) {
      known.count += 1;
      if (known.entries.length < maxEntries) known.entries.push(entry.insertId);
    } else if (this.#errors.size < maxErrors) {
      this.#errors.set(signature, { sample: line, count: 1, entries: [entry.insertId] });
    }
  }

  get all(): LogError[] {
    return [...this.#errors.values()];
  }

  /** Those that another log does not have, the most frequent first. */
  newTo(former: LogErrors): LogError[] {
    return [...this.#errors]
      .flatMap(([signature, error]) => (former.#errors.has(signature) ? [] : [error]))
      .sort((a, b) => b.count - a.count);
  }
}

/** The line that tells of an entry's error: a trace's innermost cause, else its first line; undefined when it tells of none. */
function errorOf(entry: LogEntry): string | undefined {
  if (entry.request) return requestError(entry);
  const { lines, stack, level } = messageOf(entry);
  const traced = innermost(stack) ?? innermost(lines);
  const isError = severeEntry.has(entry.severity) || severe.has(level);
  if (!isError && !(traced !== undefined && level === 'unknown')) return undefined;
  const line = traced ?? lines.find((each) => !frame.test(each) && asCause(each) !== '');
  return line === undefined ? undefined : asCause(line);
}

/** A cause explains what it caused; of exceptions that follow each other the first does. */
function innermost(lines: readonly string[]): string | undefined {
  const said = tokensOf(lines);
  const cause = said.findLast(({ kind }) => kind === 'cause');
  const exception = cause ?? said.find(({ kind }) => kind === 'exception');
  return exception && 'text' in exception ? exception.text : undefined;
}

/**
 * Of a request only its path: the host differs between a candidate and its service. What a check got for an answer,
 * the check itself has judged.
 */
function requestError({ request, severity }: LogEntry): string | undefined {
  if (!request || !(request.status >= 500 || severeEntry.has(severity))) return undefined;
  if (request.userAgent?.startsWith(ownAgent)) return undefined;
  const path = URL.canParse(request.url) ? new URL(request.url).pathname : request.url.split('?')[0];
  return asCause(`${request.method} ${path} answered ${request.status}`);
}
