import { RE2JS } from 're2js';
import { type LogEntry, type Severity, severities } from '../cloud/ports/index.ts';
import type { LogsCheck } from '../config/check-spec.ts';
import { messageOf } from '../startup/message.ts';
import type { CheckContext, CheckOutcome } from './context.ts';
import { LogErrors } from './log-errors.ts';
import { findRegressions } from './regressions.ts';
import { errorText, oneLine } from './text.ts';

const maxEntriesNamed = 10;
const maxTextLength = 64 * 1024;

/** Bad news decides at once; good news needs the whole window, unless only presence is asked for. */
export async function checkLogs(
  spec: LogsCheck,
  context: CheckContext,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const judge = lineJudge(spec);
  const awaited = new Map(spec.present.map((pattern) => [pattern, RE2JS.compile(pattern)]));
  const errors = new LogErrors();
  const seen: string[] = [];
  const onlyPresence = spec.absent.length === 0 && spec.maxSeverity === undefined && !spec.regressions;
  let read = 0;
  let complete = true;
  try {
    const history = await context.log.history(signal);
    complete = history.complete;
    for await (const batch of batches(history.entries, context.log.watch(spec.windowSeconds, signal))) {
      read += batch.length;
      const offending = firstOffence(batch, judge);
      if (offending) return offending;
      for (const entry of batch) {
        seen.push(...newlySeen(awaited, entry));
        if (spec.regressions) errors.add(entry);
      }
      if (onlyPresence && awaited.size === 0) break;
    }
  } catch (error) {
    context.signal.throwIfAborted();
    return { status: 'inconclusive', reason: `the log could not be read: ${errorText(error)}` };
  }
  const left = complete ? '' : ', some of a longer log were left out';
  const window = `within ${spec.windowSeconds} s (${read} entries read${left})`;
  if (awaited.size > 0) {
    const status = complete ? 'failed' : 'inconclusive';
    return { status, reason: `no line matches ${quoted([...awaited.keys()])} ${window}` };
  }
  const compared = spec.regressions ? await findRegressions(errors, context.former, signal) : undefined;
  if (compared && compared.status !== 'passed') return compared;
  const found = [
    ...(spec.present.length > 0 ? [`a line matches ${quoted(spec.present)}`] : []),
    ...(spec.absent.length > 0 || spec.maxSeverity ? ['no line that must be absent'] : []),
    ...(compared ? [compared.reason] : []),
  ];
  return {
    status: 'passed',
    reason: `${found.join(', ')} ${window}`,
    ...(seen.length > 0 ? { entries: seen.slice(0, maxEntriesNamed) } : {}),
  };
}

async function* batches(history: LogEntry[], watched: AsyncIterable<LogEntry[]>): AsyncGenerator<LogEntry[]> {
  if (history.length > 0) yield history;
  yield* watched;
}

/** Why an entry must not be there, or undefined. */
type Judge = (entry: LogEntry) => string | undefined;

function lineJudge(spec: LogsCheck): Judge {
  const absent = spec.absent.map((pattern) => ({ pattern, matcher: RE2JS.compile(pattern) }));
  const worst = spec.maxSeverity && rank(spec.maxSeverity);
  return (entry) => {
    if (worst !== undefined && rank(entry.severity) >= worst) return `severity ${entry.severity}`;
    const text = textOf(entry);
    const match = absent.find(({ matcher }) => matcher.test(text));
    return match && `it matches ${quoted([match.pattern])}`;
  };
}

function firstOffence(batch: readonly LogEntry[], judge: Judge): CheckOutcome | undefined {
  const offending = batch.flatMap((entry) => {
    const why = judge(entry);
    return why === undefined ? [] : [{ entry, why }];
  });
  const first = offending[0];
  if (!first) return undefined;
  const more = offending.length > 1 ? `, and ${offending.length - 1} more` : '';
  return {
    status: 'failed',
    reason: `a line that must be absent (${first.why}): "${oneLine(textOf(first.entry))}"${more}`,
    entries: offending.slice(0, maxEntriesNamed).map(({ entry }) => entry.insertId),
  };
}

/** Strikes off the patterns that an entry shows. */
function newlySeen(awaited: Map<string, RE2JS>, entry: LogEntry): string[] {
  const text = textOf(entry);
  const matching = [...awaited].filter(([, matcher]) => matcher.test(text));
  for (const [pattern] of matching) awaited.delete(pattern);
  return matching.length > 0 ? [entry.insertId] : [];
}

function rank(severity: Severity): number {
  return severities.indexOf(severity);
}

/** What a person would read: a structured entry's message with its stack trace, else all of it. */
function textOf(entry: LogEntry): string {
  return textOfPayload(entry).slice(0, maxTextLength);
}

function textOfPayload(entry: LogEntry): string {
  const { payload, request } = entry;
  if (payload.kind === 'text') return payload.text;
  if (payload.kind === 'none')
    return request ? `${request.method} ${request.url} answered ${request.status}` : '';
  const { lines, stack } = messageOf(entry);
  const words = [...lines, ...stack].filter((line) => line !== '');
  return words.length > 0 ? words.join('\n') : JSON.stringify(payload.json);
}

function quoted(patterns: readonly string[]): string {
  return patterns.map((pattern) => `/${oneLine(pattern, 100)}/`).join(', ');
}
