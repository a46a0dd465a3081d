import { status } from '@grpc/grpc-js';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type ArmedFaults, faultyRoutes } from '../faults/index.ts';
import { RpcError } from '../grpc.ts';
import type { WebEnv } from './env.ts';
import { errorBody } from './errors.ts';
import { isJson } from './json.ts';

const maxBodyBytes = 16 * 1024 * 1024;

/** What a form or a script of a web page sends without asking first is no JSON, so it writes nothing. */
const onlyJson = createMiddleware<WebEnv>(async (c, next) => {
  const type = c.req.header('content-type');
  const reads = c.req.method === 'GET' || c.req.method === 'HEAD';
  if (reads || isJson(type)) return next();
  const message = `The Content-Type must be application/json, not '${type?.slice(0, 100)}'.`;
  return c.json(errorBody(new RpcError(status.INVALID_ARGUMENT, message), 415).body, 415);
});

/** The APIs over HTTP. A route that fails throws an `RpcError`; the caller gets it in Google's shape. */
export function webApp(apis: readonly Hono<WebEnv>[], faults: ArmedFaults): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  app.use(onlyJson);
  const tooLarge = new RpcError(
    status.INVALID_ARGUMENT,
    `Request payload size exceeds the limit: ${maxBodyBytes} bytes.`,
  );
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: (c) => {
        c.header('connection', 'close');
        return c.json(errorBody(tooLarge, 413).body, 413);
      },
    }),
  );
  app.use(faultyRoutes(faults, (request, env) => app.fetch(request, env)));
  for (const api of apis) app.route('/', api);
  app.notFound((c) => {
    const request = `${c.req.method} ${c.req.path}`;
    const { body } = errorBody(new RpcError(status.NOT_FOUND, `${request} is not part of the local cloud.`));
    return c.json(body, 404);
  });
  app.onError((error, c) => {
    const { http, body } = errorBody(error);
    return c.json(body, http as ContentfulStatusCode); // Each code in its table is one.
  });
  return app;
}
