import type { LogEntry, Severity } from '../cloud/ports/logs.ts';
import { padEnd } from '../terminal/columns.ts';
import { formatMilliseconds } from '../terminal/format.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import type { Theme } from '../terminal/theme.ts';

const severityWidth = 9;

/** `12:00:01.250  ERROR      chat-r1  text`: one entry, one line, safe to print. */
export function logLine(entry: LogEntry, theme: Theme): string {
  const time = entry.timestamp.slice(11, 23).replace(/Z$/, '');
  const severity = padEnd(entry.severity === 'DEFAULT' ? '' : entry.severity, severityWidth);
  const revision = sanitiseLine(entry.revision);
  return `${theme.dim(time)}  ${paint(entry.severity, theme)(severity)}  ${theme.dim(revision)}  ${entryText(entry)}`.trimEnd();
}

function entryText({ payload, request }: LogEntry): string {
  if (request) {
    const { method, url, status, latencySeconds } = request;
    return sanitiseLine(`${method} ${url} ${status}  ${formatMilliseconds(latencySeconds * 1000)}`);
  }
  switch (payload.kind) {
    case 'text':
      return sanitiseLine(payload.text);
    case 'json':
    case 'proto': {
      const message = payload.json['message'];
      return sanitiseLine(typeof message === 'string' ? message : JSON.stringify(payload.json));
    }
    case 'none':
      return '';
  }
}

function paint(severity: Severity, theme: Theme): (text: string) => string {
  switch (severity) {
    case 'DEFAULT':
    case 'DEBUG':
    case 'INFO':
    case 'NOTICE':
      return theme.dim;
    case 'WARNING':
      return theme.warn;
    default:
      return theme.bad;
  }
}
