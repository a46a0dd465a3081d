import type { LogEntry } from '../cloud/ports/logs.ts';
import { type Diagnosis, tiers } from './diagnose.ts';
import { asCause } from './text.ts';

/** What an access line or a request log entry shows. */
export type TrafficFact = { says: 'answered'; path: string } | { says: 'trouble'; diagnosis: Diagnosis };

const socketPath = /(?:^|\/)(?:ws|wss|websockets?|socket\.io|cable|graphql-ws|subscriptions?)(?:\/|$)/;

export function requestFact(
  request: NonNullable<LogEntry['request']>,
  text: string,
): TrafficFact | undefined {
  const path = pathOf(request.url);
  if (request.status >= 400 && socketPath.test(path)) return refused(path, request.status);
  if (request.status >= 500) return failing(request.status, text);
  return request.status >= 200 && request.status < 300 ? { says: 'answered', path } : undefined;
}

/** uvicorn: `… - "WebSocket /ws" 403`; any server: `… "GET /health HTTP/1.1" 200`. */
export function accessFact(line: string): TrafficFact | undefined {
  if (!line.includes('"')) return undefined;
  const socket = /"WebSocket ([^\s"?]{1,200})[^"]{0,500}" \[?(\d{3})/.exec(line);
  if (socket) {
    const status = Number(socket[2]);
    return status >= 400 ? refused(socket[1] ?? '', status) : undefined;
  }
  const request = /"(?:GET|HEAD|POST) ([^\s"?]{1,200})\S{0,500} HTTP\/[\d.]+" (\d{3})\b/.exec(line);
  if (!request) return undefined;
  const path = request[1] ?? '';
  const status = Number(request[2]);
  if (status >= 400 && socketPath.test(path)) return refused(path, status);
  return status >= 200 && status < 300 ? { says: 'answered', path } : undefined;
}

function refused(path: string, status: number): TrafficFact {
  const reason =
    status === 403 || status === 401
      ? 'Check the authentication and the allowed origins of the handshake'
      : 'See what the server says of the handshake';
  const cause = `The WebSocket handshake on ${asCause(path)} is refused with ${status}`;
  return {
    says: 'trouble',
    diagnosis: {
      category: 'websocket',
      key: `websocket|${path}|${status}`,
      cause,
      hint: `${reason}.`,
      fatal: false,
      tier: tiers.websocket,
    },
  };
}

function failing(status: number, text: string): TrafficFact {
  const said = asCause(text).replace(/ Additional troubleshooting.*$/, '');
  const cause =
    said === '' ? `Requests are answered with ${status}` : `Requests are answered with ${status}: ${said}`;
  return {
    says: 'trouble',
    diagnosis: {
      category: 'request',
      key: `request|${cause}`,
      cause,
      hint: 'The instance does not answer; see what stopped its start.',
      fatal: false,
      tier: tiers.request,
    },
  };
}

function pathOf(url: string): string {
  const path = url.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/[?#].*$/, '');
  return (path === '' ? '/' : path).slice(0, 200);
}
