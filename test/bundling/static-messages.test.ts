import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { protobuf } from 'google-gax';
import { describe, expect, test } from 'vitest';
import { staticCode } from '../../bundling/static-messages.ts';
import { apiMethods, type Wanted } from '../../src/cloud/api-methods.ts';
import type { Api, MessageType } from '../../src/cloud/lean-gax.ts';

const require = createRequire(import.meta.url);
const libraries = { run: 'run', build: 'cloudbuild', logs: 'logging-api' } as const;
const kinds = ['run', 'build', 'logs'] as const;

async function load(kind: (typeof kinds)[number]): Promise<{ api: Api; root: protobuf.Root }> {
  const file = require.resolve(`@google-cloud/${libraries[kind]}/build/protos/protos.json`);
  const json: protobuf.INamespace = JSON.parse(readFileSync(file, 'utf8'));
  const code = await staticCode(json, apiMethods[kind]);
  const module: { exports: unknown } = { exports: {} };
  new Function('require', 'module', 'exports', code)(require, module, module.exports);
  return { api: module.exports as Api, root: protobuf.Root.fromJSON(json) };
}

/** A message in which everything is set, down to some depth. */
function sample(type: protobuf.Type, depth = 4): object {
  const inOneof = new Set<string>();
  return Object.fromEntries(
    type.fieldsArray.flatMap((field) => {
      field.resolve();
      const { partOf, resolvedType } = field;
      if (partOf && inOneof.has(partOf.name)) return [];
      if (partOf) inOneof.add(partOf.name);
      if (resolvedType instanceof protobuf.Type && depth === 0) return [];
      const value =
        resolvedType instanceof protobuf.Type
          ? sample(resolvedType, depth - 1)
          : resolvedType instanceof protobuf.Enum
            ? (Object.keys(resolvedType.values).at(-1) ?? 0)
            : scalars[field.type];
      expect(value, `${type.fullName}.${field.name}: ${field.type}`).toBeDefined();
      const many = field.map ? { key: value } : [value, value];
      return [[field.name, field.repeated || field.map ? many : value]];
    }),
  );
}

const scalars: Readonly<Record<string, unknown>> = {
  ...{ string: 'größe', bool: true, bytes: Buffer.from([0, 255]), double: 0.1, float: 0.5 },
  ...{ int32: -5, uint32: 5, int64: '-9007199254740993', uint64: '9007199254740993' },
};
const conversion = { longs: String, enums: String, defaults: true, oneofs: true };

describe.each(kinds)('what the build makes of the protos of %s', (kind) => {
  test('has every method that is called, and its messages are those of the protos', async () => {
    const { api, root } = await load(kind);
    const wanted: Wanted = apiMethods[kind];
    expect(Object.keys(api.methods)).toEqual(Object.keys(wanted));
    for (const [name, methods] of Object.entries(api.methods)) {
      const service = root.lookupService(name);
      expect(methods.map(({ name }) => name).sort()).toEqual(wanted[name]?.toSorted());
      for (const { name, requestStream, responseStream, request, response } of methods) {
        const known = service.methods[name]?.resolve() as protobuf.Method;
        expect({ requestStream, responseStream }).toEqual({
          requestStream: known.requestStream === true,
          responseStream: known.responseStream === true,
        });
        for (const [made, from] of [
          [request, known.resolvedRequestType],
          [response, known.resolvedResponseType],
        ] as const) {
          if (!from) throw new Error(`${name} has no types`);
          const message = sample(from);
          const bytes = from.encode(from.fromObject(message)).finish();
          expect(made.encode(made.fromObject(message)).finish()).toEqual(bytes);
          const read = made.toObject(made.decode(bytes), conversion);
          expect(read).toEqual(from.toObject(from.decode(bytes), conversion));
        }
      }
    }
  });
});

test('finds the type that an operation carries, as gax asks for it', async () => {
  const { api } = await load('build');
  const type = api.lookup('.google.devtools.cloudbuild.v1.BuildOperationMetadata') as MessageType | undefined;
  const bytes = type?.encode(type.fromObject({ build: { id: 'b1' } })).finish() ?? new Uint8Array();
  expect(type?.toObject(type.decode(bytes))).toEqual({ build: { id: 'b1' } });
  expect(api.lookup('.not.there')).toBeUndefined();
});
