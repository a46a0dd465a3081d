import type * as gax from 'google-gax';
import type { protobuf } from 'google-gax';
import { reachableFrom } from './reachable.ts';

type Gax = typeof gax;
type Json = protobuf.INamespace;

/** Every generated client makes a client of this service too. */
const broughtAlong = 'google.cloud.location.Locations';

/**
 * google-gax for the generated clients, which take it as an argument. As it comes, it sets up every message of an API,
 * twice, and a descriptor of each for gRPC's reflection: most of the time of a command's first call. This one sets up
 * what the named services can send or receive, once.
 */
export async function leanGax(...services: string[]): Promise<Gax> {
  const library = await import('google-gax');
  const wanted = [...services, broughtAlong];
  const rootOf = new WeakMap<object, protobuf.Root>();
  const leanRoot = (json: Json): protobuf.Root => {
    const known = rootOf.get(json);
    if (known) return known;
    const root = library.protobuf.Root.fromJSON(reachableFrom(json, wanted));
    root.resolveAll();
    rootOf.set(json, root);
    return root;
  };
  const isService = (found: unknown): found is protobuf.Service => found instanceof library.protobuf.Service;
  class LeanGrpcClient extends library.GrpcClient {
    override loadProtoJSON(json: Json) {
      const root = leanRoot(json);
      const found = wanted.map((name) => root.lookup(name)).filter(isService);
      return library.grpc.loadPackageDefinition(
        Object.fromEntries(found.map((service) => [service.fullName.slice(1), definitionOf(service)])),
      );
    }
  }
  return {
    ...library,
    GrpcClient: LeanGrpcClient,
    protobufFromJSON: (json) => leanRoot(json),
    lro: (() => ({ operationsClient: () => noOperations })) as unknown as Gax['lro'],
  };
}

/**
 * Operations are awaited by raw calls (operations.ts), so gax's client for them, whose setting up takes as long as
 * the rest of an API's, is never asked for anything. The generated clients hand it round and close it: that is all
 * of its type that there is.
 */
const noOperations = { close: async () => undefined };

/** How gax has messages converted: int64 and enums as strings, unset fields as their defaults. */
const conversion = { longs: String, enums: String, defaults: true, oneofs: true };

/** What @grpc/proto-loader makes of a service, without the descriptors. */
function definitionOf(service: protobuf.Service): gax.grpc.ServiceDefinition {
  return Object.fromEntries(
    service.methodsArray.map((method) => {
      const { resolvedRequestType, resolvedResponseType } = method;
      if (!resolvedRequestType || !resolvedResponseType) throw new Error(`${method.fullName} has no types`);
      const [request, response] = [codecOf(resolvedRequestType), codecOf(resolvedResponseType)];
      const definition = {
        path: `/${service.fullName.slice(1)}/${method.name}`,
        requestStream: method.requestStream === true,
        responseStream: method.responseStream === true,
        requestSerialize: request.serialize,
        requestDeserialize: request.deserialize,
        responseSerialize: response.serialize,
        responseDeserialize: response.deserialize,
        originalName: method.name.charAt(0).toLowerCase() + method.name.slice(1),
      };
      return [method.name, definition];
    }),
  );
}

function codecOf(type: protobuf.Type) {
  return {
    serialize: (message: object) => Buffer.from(type.encode(type.fromObject(message)).finish()),
    deserialize: (bytes: Uint8Array) => type.toObject(type.decode(bytes), conversion),
  };
}
