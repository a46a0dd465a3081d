import type * as gax from 'google-gax';
import type { protobuf } from 'google-gax';
import { reachableFrom } from './reachable.ts';

type Gax = typeof gax;
type Json = protobuf.INamespace;

/**
 * google-gax for the generated clients, which take it as an argument. As it comes, it sets up every message of an API,
 * twice, and a descriptor of each for gRPC's reflection: most of the time of a command's first call. This one sets up
 * what the named services can send or receive, once.
 */
export async function leanGax(wanted: readonly string[]): Promise<Gax> {
  const library = await import('google-gax');
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
  // Inherited, not copied: reading a part of the library for the first time sets it up.
  return Object.create(library, {
    GrpcClient: { value: LeanGrpcClient },
    protobufFromJSON: { value: leanRoot },
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
