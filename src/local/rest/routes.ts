import { type handleUnaryCall, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { Hono } from 'hono';
import type protobuf from 'protobufjs';
import { RpcError } from '../grpc.ts';
import { readObject } from '../web/body.ts';
import type { WebEnv } from '../web/env.ts';
import { type Binding, bindingsOf } from './bindings.ts';
import { callUnary } from './call.ts';
import { decodeJson, encodeJson } from './json.ts';
import { queryJson, setPath } from './query.ts';

/** A gRPC service as the server registers it, faults and all. */
export type ServedService = { name: string; implementation: UntypedServiceImplementation };

type Route = Binding & {
  name: string;
  request: protobuf.Type;
  response: protobuf.Type;
  handler: handleUnaryCall<object, object> | undefined;
};

/** The REST road to gRPC services: URLs, verbs and bodies by the protos' own HTTP annotations (google.api.http). */
export function restRoutes(served: readonly ServedService[], protos: protobuf.Root): Hono<WebEnv> {
  // Made at the first request: resolving every method would make every start slower.
  let routes: Route[] | undefined;
  return new Hono<WebEnv>().all('*', async (c, next) => {
    routes ??= routesOf(served, protos);
    const { method, raw } = c.req;
    const url = new URL(raw.url);
    const found = findRoute(routes, method, decoded(url.pathname));
    if (!found) return next();
    const { route, fields } = found;
    if (!route.handler) throw new RpcError(status.UNIMPLEMENTED, `${route.name} streams: use gRPC.`);
    const body = route.body === undefined ? undefined : await readObject(c);
    const json = queryJson(route.request, url.searchParams);
    if (route.body === '*') Object.assign(json, body);
    else if (route.body) json[route.body] = body;
    for (const [field, value] of Object.entries(fields)) setPath(json, field.split('.'), value);
    const request = decodeJson(route.request, json);
    const answer = await callUnary(route.handler, request, {
      host: url.host,
      path: url.pathname,
      signal: raw.signal,
    });
    const alt = url.searchParams.get('$alt') ?? url.searchParams.get('alt') ?? '';
    const numericEnums = alt.includes('enum-encoding=int');
    return c.json(encodeJson(route.response, answer, { numericEnums }));
  });
}

function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    throw new RpcError(status.INVALID_ARGUMENT, `The path is not well encoded: ${path}`);
  }
}

function findRoute(routes: readonly Route[], verb: string, path: string) {
  for (const route of routes) {
    const fields = route.verb === verb && route.match(path);
    if (fields) return { route, fields };
  }
  return undefined;
}

function routesOf(served: readonly ServedService[], protos: protobuf.Root): Route[] {
  return served.flatMap(({ name, implementation }) => {
    const service = protos.lookupService(name);
    return service.methodsArray.flatMap((method) => {
      method.resolve();
      const { resolvedRequestType: request, resolvedResponseType: response } = method;
      if (!request || !response) return [];
      const streams = method.requestStream || method.responseStream;
      // grpc-js does not type the handlers of a service; the definition says which kind each one is.
      const handler = streams ? undefined : (implementation[method.name] as Route['handler']);
      return bindingsOf(service, method).map((binding) => {
        return { ...binding, name: `${name}.${method.name}`, request, response, handler };
      });
    });
  });
}
