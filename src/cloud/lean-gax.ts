import type * as gax from 'google-gax';
import type { protobuf } from 'google-gax';
import type { Wanted } from './api-methods.ts';
import { reachableFrom } from './reachable.ts';

type Gax = typeof gax;
type Json = protobuf.INamespace;

/** What encodes and decodes the messages of a type: protobufjs's `Type`, or the code that the build makes of one. */
export type MessageType = Pick<protobuf.Type, 'fromObject' | 'encode' | 'decode' | 'toObject'>;
type Method = {
  name: string;
  requestStream: boolean;
  responseStream: boolean;
  request: MessageType;
  response: MessageType;
};
export type Api = {
  /** By the full names of the services. */
  methods: Record<string, readonly Method[]>;
  /** A message type by its full name. */
  lookup(name: string): unknown;
};

/** A client's protos: as they are in a checkout, and what the build puts in their place (bundling/static-messages.ts). */
type Protos = Json | Api;

/**
 * google-gax for the generated clients, which take it as an argument. As it comes, it sets up every message of an API,
 * twice, and a descriptor of each for gRPC's reflection: most of the time of a command's first call. This one sets up
 * what the wanted methods send or receive, once.
 */
export async function leanGax(wanted: Wanted): Promise<Gax> {
  const library = await import('google-gax');
  const reflected = new WeakMap<Json, Api>();
  const apiOf = (protos: Protos): Api => {
    if ('methods' in protos) return protos;
    const api = reflected.get(protos) ?? reflect(library, protos, wanted);
    reflected.set(protos, api);
    return api;
  };
  class LeanGrpcClient extends library.GrpcClient {
    override loadProtoJSON(protos: Protos) {
      const { methods } = apiOf(protos);
      return library.grpc.loadPackageDefinition(
        Object.fromEntries(
          Object.keys(wanted).map((name) => [name, definitionOf(name, methods[name] ?? [])]),
        ),
      );
    }
  }
  // Inherited, not copied: reading a part of the library for the first time sets it up.
  return Object.create(library, {
    GrpcClient: { value: LeanGrpcClient },
    protobufFromJSON: {
      value: (protos: Protos) => ({ lookup: (name: string) => apiOf(protos).lookup(name) ?? unread }),
    },
    LocationsClient: { value: NeverAsked },
    lro: { value: () => ({ operationsClient: () => new NeverAsked() }) },
  });
}

/**
 * Every generated client makes one of Locations and one of Operations, which take as long to set up as the rest of
 * it. Nobody asks for locations, and operations are awaited by raw calls (operations.ts): both are only closed.
 */
class NeverAsked {
  async close(): Promise<void> {}
}

/** The type of what an operation of an unwanted method would carry. */
const unread = { decode: () => ({}) };

function reflect(library: Gax, json: Json, wanted: Wanted): Api {
  const root = library.protobuf.Root.fromJSON(reachableFrom(json, wanted));
  const methods = Object.keys(wanted).map((name) => [
    name,
    root.lookupService(name).methodsArray.map(resolved),
  ]);
  return { methods: Object.fromEntries(methods), lookup: (name) => root.lookup(name) };
}

function resolved(method: protobuf.Method): Method {
  const { resolvedRequestType: request, resolvedResponseType: response } = method;
  if (!request || !response) throw new Error(`${method.fullName} has no types`);
  const { name, requestStream = false, responseStream = false } = method;
  return { name, requestStream, responseStream, request, response };
}

/** How gax has messages converted: int64 and enums as strings, unset fields as their defaults. */
const conversion = { longs: String, enums: String, defaults: true, oneofs: true };

/** What @grpc/proto-loader makes of a service, without the descriptors. */
function definitionOf(service: string, methods: readonly Method[]): gax.grpc.ServiceDefinition {
  return Object.fromEntries(
    methods.map(({ name, requestStream, responseStream, ...types }) => {
      const [request, response] = [codecOf(types.request), codecOf(types.response)];
      const definition = {
        ...{ path: `/${service}/${name}`, requestStream, responseStream },
        requestSerialize: request.serialize,
        requestDeserialize: request.deserialize,
        responseSerialize: response.serialize,
        responseDeserialize: response.deserialize,
        originalName: name.charAt(0).toLowerCase() + name.slice(1),
      };
      return [name, definition];
    }),
  );
}

function codecOf(type: MessageType) {
  return {
    serialize: (message: object) => Buffer.from(type.encode(type.fromObject(message)).finish()),
    deserialize: (bytes: Uint8Array) => type.toObject(type.decode(bytes), conversion),
  };
}
