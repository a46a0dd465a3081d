import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MiddlewareHandler } from 'hono';
import { jsonMethodOf, jsonMethods } from '../contract/json-apis.ts';
import type { RpcError } from '../grpc.ts';
import { StorageError } from '../storage/errors.ts';
import { fail } from '../storage/exchange.ts';
import type { WebEnv } from '../web/env.ts';
import { errorBody } from '../web/errors.ts';
import { type ArmedFaults, failureOf } from './armed.ts';
import { type FaultApi, faultApis } from './fault.ts';
import { Road } from './road.ts';

const isFaultApi = (api: string): api is FaultApi => faultApis.some((each) => each === api);

function faultyMethod(verb: string, path: string): { api: FaultApi; method: string } | undefined {
  const found = jsonMethodOf(verb, path);
  return found && isFaultApi(found.api) ? { api: found.api, method: found.method } : undefined;
}

/** Before the JSON APIs: what calls one of their methods meets the faults. `ask` makes a read again, past the faults. */
export function faultyRoutes(
  faults: ArmedFaults,
  ask: (request: Request, env: WebEnv['Bindings']) => Response | Promise<Response>,
): MiddlewareHandler<WebEnv> {
  const road = new Road<Response>(faults);
  for (const { api, method } of jsonMethods) if (isFaultApi(api)) faults.serve(api, [method]);
  return async (c, next) => {
    const { url, method: verb, headers } = c.req.raw;
    const found = faultyMethod(verb, new URL(url).pathname);
    if (!found || c.env.pastFaults) return next();
    const env = { ...c.env, pastFaults: true };
    const again = async () => ask(new Request(url, { headers }), env);
    const answer = await road.pass({
      ...found,
      ...(verb === 'GET' && { read: { key: url, again } }),
      perform: async () => {
        await next();
        return c.res;
      },
      failed: (error) => {
        const { http, body } = errorBody(error);
        return Response.json(body, { status: http });
      },
      cut: (response, { cutStreamAfter = 0 }) => brokenOff(response, cutStreamAfter),
    });
    if (answer === c.res) return undefined;
    // What stands there already would lend the new answer its headers.
    c.res = undefined;
    // A stale answer may be given again.
    c.res = answer.clone();
    return undefined;
  };
}

function brokenOff(response: Response, bytes: number): Response {
  let left = bytes;
  const cut = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      controller.enqueue(chunk.subarray(0, left));
      left -= chunk.length;
      if (left < 0) controller.error(new Error('The answer was cut by an injected fault.'));
    },
  });
  return new Response(response.body?.pipeThrough(cut) ?? null, response);
}

type StorageHandler = (req: IncomingMessage, res: ServerResponse) => Promise<boolean>;

/** Storage streams its bodies itself, so its calls meet the faults where they arrive. */
export function faultyStorage(faults: ArmedFaults, handle: StorageHandler): StorageHandler {
  return async (req, res) => {
    const { method: verb = 'GET', url = '/' } = req;
    const found = faultyMethod(verb, url.replace(/\?.*/s, ''));
    if (found?.api !== 'storage') return handle(req, res);
    const { latencyMs, outcome } = faults.take('storage', found.method, () => true);
    if (latencyMs > 0) await sleep(latencyMs, undefined, { ref: false });
    if (!outcome) return handle(req, res);
    const failure = asStorageError(failureOf(outcome));
    if (outcome.cutStreamAfter !== undefined) breakOff(res, outcome.cutStreamAfter);
    else if (outcome.dropReply && verb !== 'GET') instead(res, () => fail(res, failure));
    else {
      fail(res, failure);
      return true;
    }
    return handle(req, res);
  };
}

/** Whoever begins an answer begins this one, and goes on into the void. */
function instead(res: ServerResponse, answer: () => void): void {
  const { writeHead } = res;
  res.writeHead = () => {
    res.writeHead = writeHead;
    answer();
    res.write = () => true;
    res.end = () => res;
    return res;
  };
}

function breakOff(res: ServerResponse, bytes: number): void {
  const write = res.write.bind(res);
  let left = bytes;
  const cut = (chunk: unknown): boolean => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return true;
    const part = Buffer.from(chunk).subarray(0, left);
    const whole = part.length === Buffer.from(chunk).length;
    left -= part.length;
    write(part, whole ? undefined : () => res.destroy());
    return whole;
  };
  res.write = cut;
  const end = res.end.bind(res);
  res.end = (chunk?: unknown) => (cut(chunk) ? end() : res);
}

const reasons: Readonly<Record<number, string>> = {
  ...{ 400: 'invalid', 401: 'required', 403: 'forbidden', 404: 'notFound', 409: 'conflict' },
  ...{ 429: 'rateLimitExceeded', 500: 'internalError', 503: 'backendError' },
};

function asStorageError(error: RpcError): StorageError {
  const { http } = errorBody(error);
  return new StorageError(http, reasons[http] ?? 'backendError', error.message);
}
