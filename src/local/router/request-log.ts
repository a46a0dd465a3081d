import type { IncomingMessage } from 'node:http';
import type { LogSink, Route } from '../contracts.ts';
import { revisionResource, runLogName } from '../runtime/log-lines.ts';
import type { Trace } from './trace.ts';

/** How a request ended. */
export type Outcome = {
  status: number;
  /** Who answered; absent when it was the router. */
  revision?: string | undefined;
  instanceId?: string | undefined;
  /** Cloud Run's sentence about what went wrong. */
  text?: string | undefined;
};

/** Begins the entry of a request; the returned function writes it, once, when the request has ended. */
export function beginRequest(
  logs: LogSink,
  route: Route,
  request: IncomingMessage,
  trace: Trace,
): (outcome: Outcome) => void {
  const { socket } = request;
  const timestamp = new Date();
  const started = performance.now();
  const written = socket.bytesWritten;
  const remoteIp = remoteAddress(request);
  let ended = false;
  return ({ status, revision = '', instanceId, text }) => {
    if (ended) return;
    ended = true;
    logs.write({
      logName: runLogName(route.project, 'requests'),
      resource: revisionResource({ ...route, revision }),
      ...(instanceId && { labels: { instanceId } }),
      severity: severityOf(status, text),
      timestamp,
      ...(text && { textPayload: text }),
      httpRequest: {
        requestMethod: request.method ?? '',
        requestUrl: `http://${request.headers.host ?? ''}${request.url ?? ''}`,
        status,
        responseSize: socket.bytesWritten - written,
        userAgent: request.headers['user-agent'] ?? '',
        remoteIp,
        latencySeconds: (performance.now() - started) / 1000,
        protocol: `HTTP/${request.httpVersion}`,
      },
      trace: `projects/${route.project}/traces/${trace.traceId}`,
      spanId: trace.spanId,
    });
  };
}

/** The address without the IPv6 notation of IPv4. */
export function remoteAddress(request: IncomingMessage): string {
  return (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
}

/** An answer that begins well and breaks off is an error too. */
function severityOf(status: number, text: string | undefined): string {
  if (status >= 500 || (text && status < 400)) return 'ERROR';
  return status >= 400 ? 'WARNING' : 'INFO';
}
