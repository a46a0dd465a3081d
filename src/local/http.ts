import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { TokenAuthority } from './contracts.ts';

/** `GET /healthz`: who listens. The nonce tells this server from any other that has its port later. */
export const healthSchema = z.object({ nonce: z.string(), pid: z.int(), stamp: z.string() });
type Health = z.infer<typeof healthSchema>;

/** `GET /local/status` */
export const statusSchema = z.object({
  services: z.array(
    z.object({
      project: z.string(),
      location: z.string(),
      service: z.string(),
      uri: z.string(),
      ready: z.boolean(),
    }),
  ),
});
export type ServiceStatus = z.infer<typeof statusSchema>['services'][number];

/** Proof, beside the loopback address, that the caller can read the home. */
export const nonceHeader = 'x-local-cloud-nonce';

export type HttpParts = {
  health: Health;
  services(): ServiceStatus[];
  tokens: TokenAuthority;
  storage(req: IncomingMessage, res: ServerResponse): Promise<boolean>;
  onStop(): void;
};

const maxBodyBytes = 64 * 1024;
const idTokenPath = /^\/v1\/projects\/-\/serviceAccounts\/((?:[\w.+-]|@|%40)+):generateIdToken$/;
const idTokenSchema = z.object({
  audience: z.string().min(1).max(2048),
  includeEmail: z.boolean().optional(),
});

export function httpHandler(parts: HttpParts): RequestListener {
  return (req, res) => {
    answer(parts, req, res).catch((error: unknown) => {
      if (!res.headersSent)
        refuse(res, 500, 'INTERNAL', error instanceof Error ? error.message : String(error));
      else res.destroy();
    });
  };
}

async function answer(parts: HttpParts, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (isForeign(req)) {
    res.setHeader('connection', 'close');
    return refuse(res, 403, 'PERMISSION_DENIED', 'The local cloud answers no web page.');
  }
  const url = URL.parse(req.url ?? '/', 'http://127.0.0.1');
  if (!url) return refuse(res, 400, 'INVALID_ARGUMENT', 'The request names no URL.');
  const { pathname } = url;
  const request = `${req.method} ${pathname}`;

  if (request === 'GET /healthz') return send(res, 200, parts.health);
  if (request === 'GET /local/status') return send(res, 200, { services: parts.services() });
  if (request === 'POST /local/stop') {
    if (req.headers[nonceHeader] !== parts.health.nonce)
      return refuse(res, 403, 'PERMISSION_DENIED', 'wrong nonce');
    res.on('finish', parts.onStop);
    return send(res, 200, {});
  }
  const email = req.method === 'POST' ? idTokenPath.exec(pathname)?.[1] : undefined;
  if (email) return mintToken(parts.tokens, decodeURIComponent(email), req, res);
  if (await parts.storage(req, res)) return;
  refuse(res, 404, 'NOT_FOUND', `${request} is not part of the local cloud.`);
}

/**
 * A web page can reach loopback: by a name of its own that resolves to it, or with a simple request, whose answer it
 * cannot read but whose effect it has. The first shows in the Host header, the second in Origin; no client of an API
 * sends either.
 */
function isForeign({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined || !/^(127\.0\.0\.1|localhost)(:\d+)?$/i.test(headers.host ?? '');
}

async function mintToken(tokens: TokenAuthority, email: string, req: IncomingMessage, res: ServerResponse) {
  const body = idTokenSchema.safeParse(await readJson(req));
  if (!body.success) return refuse(res, 400, 'INVALID_ARGUMENT', z.prettifyError(body.error));
  send(res, 200, { token: tokens.mint(body.data.audience, email) });
}

/** Nothing when the body is too long or no JSON. */
async function readJson(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  }
}

function refuse(res: ServerResponse, code: number, status: string, message: string): void {
  send(res, code, { error: { code, message, status } });
}

function send(res: ServerResponse, code: number, body: object): void {
  const text = JSON.stringify(body);
  res.writeHead(code, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  res.end(text);
}
