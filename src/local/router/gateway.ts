import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import type { LogSink, Route, Runtime, TokenAuthority } from '../contracts.ts';
import { readSession, sessionCookie } from './affinity.ts';
import { type Answer, answerFor, notAuthenticated, notFound, notVerified } from './answers.ts';
import { beginRequest, type Outcome, remoteAddress } from './request-log.ts';
import { pickRevision } from './split.ts';
import { traceRequest } from './trace.ts';

/** What one URL leads to. Replaced as a whole when routes change: a request keeps the target it began with. */
export type Target = { route: Route; split: Route['split']; audiences: string[] };

export type Lease = Awaited<ReturnType<Runtime['acquire']>> & {
  revision: string;
  /** To be set with the answer. */
  cookie: string | undefined;
};

export type Parts = { logs: LogSink; runtime: Runtime; tokens: TokenAuthority };

/** A request on its way: either an instance takes it, or there is an answer already. */
export type Passage = {
  enter(): Promise<{ lease: Lease } | { answer: Answer }>;
  /** Writes the request log's entry; only the first call counts. */
  end(outcome: Outcome): void;
};

/** Who may pass, where to, and under which trace: the same for HTTP and WebSocket. Changes the request's headers. */
export function openPassage(parts: Parts, target: Target, request: IncomingMessage): Passage {
  const { trace, added } = traceRequest(request.headers);
  const end = beginRequest(parts.logs, target.route, request, trace);
  return {
    end,
    async enter() {
      const { headers } = request;
      const token = headers['x-serverless-authorization'] ?? headers.authorization;
      const authorization = Array.isArray(token) ? token[0] : token;
      if (!target.route.reachable) return { answer: notFound };
      const verdict = target.route.public ? 'opens' : parts.tokens.judge(authorization, target.audiences);
      if (verdict === 'missing') return { answer: notAuthenticated(request.url ?? '/') };
      if (verdict === 'invalid') return { answer: notVerified(request.url ?? '/') };
      const session = sessionOf(request, target);
      const revision = session?.revision ?? pickRevision(target.split, Math.random());
      if (!revision) return { answer: notFound };
      Object.assign(headers, added, forwardedHeaders(request));
      try {
        const lease = await parts.runtime.acquire({ ...target.route, revision }, session?.instance);
        const { sessionAffinity, instanceId: instance } = lease;
        const isNew = sessionAffinity && instance !== session?.instance;
        const cookie = isNew ? sessionCookie({ revision, instance }, new Date()) : undefined;
        return { lease: { ...lease, revision, cookie } };
      } catch (error) {
        return { answer: answerFor(error) };
      }
    },
  };
}

/** It goes before the split, as on Cloud Run, but not to a revision that the split no longer has. */
function sessionOf({ headers }: IncomingMessage, { split }: Target) {
  const session = readSession(headers.cookie);
  return split.some(({ revision, percent }) => revision === session?.revision && percent > 0)
    ? session
    : undefined;
}

/** Resolves when a response or socket is done with, however it ended. */
export async function closed(stream: Writable): Promise<void> {
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
}

/** What Cloud Run tells the container of its client. The local cloud has no TLS, and says so. */
function forwardedHeaders(request: IncomingMessage): Record<string, string> {
  const before = request.headers['x-forwarded-for'];
  const client = remoteAddress(request);
  return {
    'x-forwarded-for': before ? `${before},${client}` : client,
    'x-forwarded-proto': 'http',
  };
}
