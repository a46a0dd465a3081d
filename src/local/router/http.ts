import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { createProxyServer } from 'httpxy';
import { addCookie } from './affinity.ts';
import { type Answer, brokenConnection, timedOut, truncated } from './answers.ts';
import { closed, type Lease, openPassage, type Parts, type Target } from './gateway.ts';
import type { Outcome } from './request-log.ts';

// How long an exit may take to show after its connections broke.
const exitMs = 200;

/** What is known of one exchange between a client and an instance. */
type Exchange = { cancel: AbortController; truncated: boolean; cookie: string | undefined };

/** Forwards HTTP requests to instances. No 'error' listener: with one, a request to a dead instance would hang. */
export function openHttpForwarder(parts: Parts): {
  forward(target: Target, request: IncomingMessage, response: ServerResponse): Promise<void>;
  close(): void;
} {
  const agent = new http.Agent({
    keepAlive: true,
    maxSockets: Number.POSITIVE_INFINITY,
    maxFreeSockets: 512,
    // Shorter than the keep-alive of the usual servers: a connection is never reused while its server closes it.
    timeout: 2000,
  });
  const exchanges = new WeakMap<IncomingMessage, Exchange>();
  const proxy = createProxyServer();

  proxy.on('proxyReq', (outgoing, request) => {
    const { signal } = exchanges.get(request)?.cancel ?? {};
    if (signal?.aborted) outgoing.destroy();
    else signal?.addEventListener('abort', () => outgoing.destroy(), { once: true });
  });
  proxy.on('proxyRes', (incoming, request, response) => {
    const exchange = exchanges.get(request);
    if (exchange?.cookie) addCookie(incoming, exchange.cookie);
    const breakOff = () => {
      if (exchange && !incoming.complete && !response.destroyed) exchange.truncated = true;
    };
    incoming.once('error', breakOff).once('close', breakOff);
  });

  /** Resolves when the exchange has ended, with the router's answer if the instance's did not reach the client whole. */
  const exchangeWith = async (
    lease: Lease,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Answer | undefined> => {
    const { cookie } = lease;
    const exchange: Exchange = { cancel: new AbortController(), truncated: false, cookie };
    exchanges.set(request, exchange);
    let answer: Answer | undefined;
    const deadline = setTimeout(() => {
      answer = timedOut;
      send(response, timedOut);
      exchange.cancel.abort();
    }, lease.timeoutSeconds * 1000);
    try {
      await proxy.web(request, response, { target: new URL(`http://127.0.0.1:${lease.port}`), agent });
    } catch {
      if (!response.destroyed) answer ??= brokenConnection;
      if (!response.headersSent) await exited(lease.gone);
      send(response, brokenConnection);
    }
    await closed(response);
    clearTimeout(deadline);
    if (exchange.truncated)
      answer ??= { ...brokenConnection, status: response.statusCode, logged: truncated };
    return answer;
  };

  return {
    async forward(target, request, response) {
      const passage = openPassage(parts, target, request);
      // The server has answered it already; passed on, it would wait for a second answer.
      delete request.headers.expect;
      const entry = await passage.enter();
      if ('answer' in entry) {
        send(response, entry.answer);
        await closed(response);
        passage.end({ status: entry.answer.status, text: entry.answer.logged });
        return;
      }
      const { lease } = entry;
      try {
        const answer = response.destroyed ? undefined : await exchangeWith(lease, request, response);
        passage.end({ ...outcome(response, answer), revision: lease.revision, instanceId: lease.instanceId });
      } finally {
        lease.release();
      }
    },
    close: () => agent.destroy(),
  };
}

/**
 * A connection breaks some milliseconds before the exit that broke it is known. Whoever gets the 503 may ask again at
 * once, and is to meet a new instance then, not the dead one.
 */
async function exited(gone: AbortSignal): Promise<void> {
  if (!gone.aborted)
    await once(gone, 'abort', { signal: AbortSignal.timeout(exitMs) }).catch(() => undefined);
}

/** The router's own answer, or the instance's; 499 when the client left before there was one. */
function outcome(response: ServerResponse, answer: Answer | undefined): Outcome {
  if (answer) return { status: answer.status, text: answer.logged };
  return { status: response.headersSent ? response.statusCode : 499 };
}

/** Answers in the instance's place; one whose head is sent can only be broken off. */
function send(response: ServerResponse, { status, contentType, body, headers }: Answer): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const length = Buffer.byteLength(body);
  response.writeHead(status, { ...headers, 'content-type': contentType, 'content-length': length });
  response.end(body);
}
