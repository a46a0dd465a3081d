import { createRequire } from 'node:module';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

/** `google.protobuf.Any` as it is decoded and encoded here. */
export type PackedAny = { type_url: string; value: Buffer };

/** The official clients' protos: messages in camelCase, enums by name, int64 as strings, unset fields absent. */
export type Protos = {
  /** All APIs: an operation of one may carry a message of another. */
  root: protobuf.Root;
  /** By full name, for example `google.cloud.run.v2.Services`. */
  service(name: string): ServiceDefinition;
  /** As the `Any` of an operation; the client decodes it by this type, so it must be the exact one. */
  pack(type: string, message: object): PackedAny;
};

const require = createRequire(import.meta.url);
const clients = ['run', 'cloudbuild', 'logging-api'];
let loaded: Protos | undefined;

/** Parsed once in a process, and each message set up when it is first seen: together they would take 200 ms. */
export function loadProtos(): Protos {
  loaded ??= openProtos();
  return loaded;
}

function openProtos(): Protos {
  const nested = clients
    .map((client): protobuf.INamespace => require(`@google-cloud/${client}/build/protos/protos.json`))
    .reduce(merged, {});
  const root = protobuf.Root.fromJSON(nested);
  return {
    root,
    service: (name) => definitionOf(root.lookupService(name)),
    pack: (type, message) => ({
      type_url: `type.googleapis.com/${type}`,
      value: encode(root.lookupType(type), message),
    }),
  };
}

/** The packages have what they share, such as google.protobuf, each in full. */
function merged(a: protobuf.INamespace, b: protobuf.INamespace): protobuf.INamespace {
  const nested: Record<string, protobuf.AnyNestedObject> = { ...a.nested };
  for (const [name, value] of Object.entries(b.nested ?? {})) {
    const known = nested[name];
    nested[name] = known && isNamespace(known) && isNamespace(value) ? merged(known, value) : value;
  }
  return { ...a, ...b, nested };
}

function isNamespace(value: protobuf.AnyNestedObject): value is protobuf.INamespace {
  return !('fields' in value || 'values' in value || 'methods' in value);
}

const encode = (type: protobuf.Type, message: object) =>
  Buffer.from(type.encode(type.fromObject(message)).finish());
const decode = (type: protobuf.Type, bytes: Uint8Array) =>
  type.toObject(type.decode(bytes), { enums: String, longs: String });

function definitionOf(service: protobuf.Service): ServiceDefinition {
  return Object.fromEntries(service.methodsArray.map((method) => [method.name, methodOf(service, method)]));
}

function methodOf(service: protobuf.Service, method: protobuf.Method): MethodDefinition<object, object> {
  const typesOf = () => {
    method.resolve();
    const { resolvedRequestType: request, resolvedResponseType: response } = method;
    if (!request || !response) throw new Error(`${method.fullName} has no types`);
    return { request, response };
  };
  return {
    path: `/${service.fullName.slice(1)}/${method.name}`,
    requestStream: method.requestStream === true,
    responseStream: method.responseStream === true,
    requestSerialize: (message) => encode(typesOf().request, message),
    requestDeserialize: (bytes) => decode(typesOf().request, bytes),
    responseSerialize: (message) => encode(typesOf().response, message),
    responseDeserialize: (bytes) => decode(typesOf().response, bytes),
    originalName: method.name.charAt(0).toLowerCase() + method.name.slice(1),
  };
}
