import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { admit } from './admission.ts';
import type { WebEnv } from './env.ts';

/** HTTP/1.1 on the shared port: Storage streams its bodies itself, everything else is the app's. */
export function webListener(parts: {
  app: Hono<WebEnv>;
  /** Answers false when the URL is none of Storage's. */
  storage(req: IncomingMessage, res: ServerResponse): Promise<boolean>;
}): RequestListener {
  return async (req, res) => {
    const admission = admit(req);
    if (!admission.admitted) return refuse(res);
    req.url = admission.path;
    const { location } = admission;
    const bindings = location === undefined ? {} : { location };
    const listener = getRequestListener((request) => parts.app.fetch(request, bindings));
    try {
      if (!(await parts.storage(req, res))) await listener(req, res);
    } catch {
      res.destroy();
    }
  };
}

function refuse(res: ServerResponse): void {
  const message = 'The local cloud answers no web page, and as a proxy it forwards nothing.';
  res.writeHead(403, { 'content-type': 'application/json; charset=utf-8', connection: 'close' });
  res.end(JSON.stringify({ error: { code: 403, message, status: 'PERMISSION_DENIED' } }));
}
