import type { LogEntry } from '../cloud/ports/logs.ts';
import { type Level, levelOfLine, levelOfNumber, levelOfSeverity, levelOfWord } from './levels.ts';
import { linesOf, writtenLines } from './text.ts';

type Fields = Record<string, unknown>;

/** What an entry says, whichever logger wrote it. */
export type Message = {
  lines: readonly string[];
  level: Level;
  /** The structured error's own trace, if any: complete in itself. */
  stack: readonly string[];
  fields: Fields | undefined;
};

const messageKeys = [
  'message',
  'msg',
  'textPayload',
  'log',
  '@m',
  'Message',
  'RenderedMessage',
  'renderedMessage',
  'short_message',
  '@mt',
  'MessageTemplate',
  'text',
  'body',
  'event',
];
const levelKeys = [
  // Names before numbers: every logger counts in its own way.
  'severity',
  'level_name',
  'levelname',
  'severity_text',
  'SeverityText',
  'log.level',
  'level',
  'lvl',
  'loglevel',
  'logLevel',
  'LogLevel',
  'Level',
  '@l',
  'Severity',
];
const errorKeys = [
  'err',
  'error',
  'exception',
  'exc_info',
  'exc_text',
  'exc',
  'stack_trace',
  'stacktrace',
  'stackTrace',
  'stack',
  'traceback',
  'Exception',
  '@x',
  'thrown',
  'throwable',
  'errorVerbose',
  'error.stack_trace',
  'exception.stacktrace',
  'error.stack',
  'reason',
];
const typedErrorKeys = [
  ['error.type', 'error.message'],
  ['exception.type', 'exception.message'],
] as const;
const stackKeys = [
  'stack',
  'stack_trace',
  'stacktrace',
  'stackTrace',
  'traceback',
  'StackTrace',
  'extendedStackTrace',
];

export function messageOf(entry: LogEntry): Message {
  const { payload } = entry;
  if (payload.kind === 'none')
    return { lines: [], level: levelOfSeverity(entry.severity), stack: [], fields: undefined };
  if (payload.kind === 'json') return fromFields(payload.json, entry);
  if (payload.kind === 'proto') {
    const status = record(payload.json['status']);
    return {
      lines: linesOf(string(status?.['message']) ?? ''),
      level: levelOfSeverity(entry.severity),
      stack: [],
      fields: undefined,
    };
  }
  const fields = jsonIn(payload.text);
  return fields ? fromFields(fields, entry) : fromText(payload.text, entry);
}

function fromText(text: string, entry: LogEntry): Message {
  const lines = writtenLines(text);
  const said = levelOfSeverity(entry.severity);
  return {
    lines,
    level: said === 'unknown' ? levelOfLine(lines[0] ?? '') : said,
    stack: [],
    fields: undefined,
  };
}

function fromFields(fields: Fields, entry: LogEntry): Message {
  const lines = writtenLines(firstString(fields, messageKeys) ?? '');
  const level = levelOfFields(fields, entry, lines[0] ?? '');
  const stack = level === 'info' ? [] : writtenLines(errorText(fields));
  return { lines, level, stack: stack.length === 1 && stack[0] === '' ? [] : stack, fields };
}

function levelOfFields(fields: Fields, entry: LogEntry, line: string): Level {
  const said = levelOfSeverity(entry.severity);
  if (said !== 'unknown') return said;
  for (const key of levelKeys) {
    const value = fields[key];
    const level =
      typeof value === 'string'
        ? levelOfWord(value)
        : typeof value === 'number'
          ? levelOfNumber(value)
          : 'unknown';
    if (level !== 'unknown') return level;
  }
  return levelOfLine(line);
}

/** The error a logger attached: its stack, else `Type: message`. */
function errorText(fields: Fields): string {
  for (const key of errorKeys) {
    const text = errorIn(fields[key]);
    if (text !== '') return text;
  }
  for (const [typeKey, messageKey] of typedErrorKeys) {
    const type = string(fields[typeKey]);
    if (type !== undefined) return named(type, string(fields[messageKey]));
  }
  return '';
}

function errorIn(value: unknown): string {
  if (typeof value === 'string') return /[\n:]|\\n/.test(value) ? value : '';
  // structlog's list: the last raised first, its causes after it.
  const error = record(Array.isArray(value) ? value.at(-1) : value);
  if (!error) return '';
  const stack = firstString(error, stackKeys);
  const type = firstString(error, ['type', 'name', 'class', 'kind', 'exc_type', 'ClassName', 'Type']);
  const message = firstString(error, ['message', 'value', 'msg', 'exc_value', 'Message', 'detail']);
  const head = stack ?? (type === undefined ? (message ?? '') : named(type, message));
  const cause = errorIn(error['cause'] ?? error['Cause'] ?? error['InnerException']);
  return cause === '' ? head : `${head}\nCaused by: ${cause}`;
}

const named = (type: string, message: string | undefined): string =>
  message === undefined || message.startsWith(type) ? (message ?? type) : `${type}: ${message}`;

/** A JSON object that came as text. */
function jsonIn(text: string): Fields | undefined {
  if (text.charCodeAt(0) !== 0x7b || text.length > 65_536 || !text.trimEnd().endsWith('}')) return undefined;
  try {
    return record(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function firstString(fields: Fields, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = fields[key];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

const string = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export function record(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}
