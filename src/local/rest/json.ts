import { status } from '@grpc/grpc-js';
import { fromProto3JSON, toProto3JSON } from 'proto3-json-serializer';
import type { Field, Type } from 'protobufjs';
import { invalidField, RpcError } from '../grpc.ts';

type JsonObject = Record<string, unknown>;

/** Messages by other rules than field by field; source: protobuf.dev/programming-guides/json. */
const ownJsonForm =
  /^\.google\.protobuf\.(Any|Struct|Value|ListValue|Duration|Timestamp|FieldMask|\w+Value)$/;
const maxDepth = 100;

/** JSON as a message in the shape that the gRPC handlers get. Throws INVALID_ARGUMENT, naming the field. */
export function decodeJson(type: Type, json: JsonObject): object {
  const known = knownFields(type, json, '');
  try {
    const message = fromProto3JSON(type, known as Parameters<typeof fromProto3JSON>[1]); // It came from JSON.
    return message ? type.toObject(message, { enums: String, longs: String }) : {};
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^\w+: /, '') : String(error);
    throw new RpcError(status.INVALID_ARGUMENT, `Invalid JSON payload received. ${why}`);
  }
}

export function encodeJson(type: Type, value: object, options: { numericEnums: boolean }): object {
  const json = toProto3JSON(type.fromObject(value), options);
  return isObject(json) ? withoutDefaults(type, json) : {};
}

/** JSON leaves out what has its default value, unless the field tells "not set" and "default" apart. */
function withoutDefaults(type: Type, json: JsonObject): JsonObject {
  const own = type.fullName === '.google.protobuf.Any' ? packedType(type, json) : type;
  if (ownJsonForm.test(own.fullName)) return json;
  const kept = Object.entries(json).flatMap(([key, value]) => {
    const field = fieldOf(own, key)?.resolve();
    if (!field) return [[key, value]];
    const inner = field.resolvedType && 'fields' in field.resolvedType ? field.resolvedType : undefined;
    if (!inner) return isDefault(field, value) ? [] : [[key, value]];
    return [[key, field.map ? mapValues(value, inner) : messageValue(inner, value)]];
  });
  return Object.fromEntries(kept);
}

function packedType({ root }: Type, json: JsonObject): Type {
  return root.lookupType(String(json['@type']).replace(/^.*\//, ''));
}

function messageValue(type: Type, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => messageValue(type, each));
  return isObject(value) ? withoutDefaults(type, value) : value;
}

function mapValues(value: unknown, type: Type): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, messageValue(type, each)]));
}

function isDefault(field: Field, value: unknown): boolean {
  if (field.partOf) return false;
  if (field.repeated || field.map) return Object.keys(value ?? {}).length === 0;
  if (field.resolvedType && 'values' in field.resolvedType) {
    return value === 0 || (typeof value === 'string' && field.resolvedType.values[value] === 0);
  }
  return value === '' || value === 0 || value === false || value === '0';
}

/** The same with every field under its camelCase name; a field that the message does not have is refused. */
function knownFields(type: Type, json: JsonObject, path: string, depth = 0): JsonObject {
  if (depth > maxDepth)
    throw new RpcError(status.INVALID_ARGUMENT, 'Invalid JSON payload received. Too deep.');
  const named = Object.entries(json).map(([key, value]) => {
    const field = fieldOf(type, key) ?? fieldOf(type, toCamelCase(key));
    if (!field) {
      const at = path ? ` at '${path}'` : '';
      const why = `Invalid JSON payload received. Unknown name "${key}"${at}: Cannot find field.`;
      throw invalidField(path, why);
    }
    return [field.name, knownValue(field.resolve(), value, path ? `${path}.${key}` : key, depth)];
  });
  return Object.fromEntries(named);
}

function knownValue(field: Field, value: unknown, path: string, depth: number): unknown {
  const type = field.resolvedType;
  if (!type || !('fields' in type) || ownJsonForm.test(type.fullName)) return value;
  const inner = (each: unknown, at: string) => {
    if (each === null && at === path) return each;
    if (!isObject(each)) throw invalidField(at, `Invalid value at '${at}', it is no object.`);
    return knownFields(type, each, at, depth + 1);
  };
  if (field.repeated) {
    return Array.isArray(value) ? value.map((each, index) => inner(each, `${path}[${index}]`)) : value;
  }
  if (!field.map) return inner(value, path);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inner(each, `${path}.${key}`)]));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The field of this name, which may be one that every object has, such as `constructor`. */
export function fieldOf(type: Type, name: string): Field | undefined {
  return Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
}

export function toCamelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
