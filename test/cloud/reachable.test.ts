import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { protobuf } from 'google-gax';
import { describe, expect, test } from 'vitest';
import { reachableFrom } from '../../src/cloud/reachable.ts';

const require = createRequire(import.meta.url);
const protosOf = (name: string): protobuf.INamespace =>
  JSON.parse(readFileSync(require.resolve(`${name}/build/protos/protos.json`), 'utf8'));

/** Methods that the adapters call, and what their calls carry. */
const used = [
  {
    library: '@google-cloud/run',
    service: 'google.cloud.run.v2.Services',
    methods: ['CreateService', 'GetService'],
    message: 'google.cloud.run.v2.Service',
  },
  {
    library: '@google-cloud/run',
    service: 'google.cloud.run.v2.Revisions',
    methods: ['GetRevision', 'ListRevisions'],
    message: 'google.cloud.run.v2.Revision',
  },
  {
    library: '@google-cloud/cloudbuild',
    service: 'google.devtools.cloudbuild.v1.CloudBuild',
    methods: ['CreateBuild', 'GetBuild'],
    // Named in an option only.
    message: 'google.devtools.cloudbuild.v1.BuildOperationMetadata',
  },
  {
    library: '@google-cloud/logging-api',
    service: 'google.logging.v2.LoggingServiceV2',
    methods: ['ListLogEntries', 'TailLogEntries'],
    message: 'google.logging.v2.LogEntry',
  },
];

describe.each(used)('what $service needs', ({ library, service, methods, message }) => {
  const whole = protosOf(library);
  const lean = reachableFrom(whole, { [service]: methods });

  test('is complete: every type resolves', () => {
    const root = protobuf.Root.fromJSON(lean);
    expect(() => root.resolveAll()).not.toThrow();
    expect(Object.keys(root.lookupService(service).methods).sort()).toEqual(methods.toSorted());
  });

  test('reads and writes its messages as the whole file does', () => {
    const [of, from] = [lean, whole].map((json) => protobuf.Root.fromJSON(json).lookupType(message));
    const fields = (type: protobuf.Type | undefined) =>
      type?.fieldsArray.map(({ name, id, type: kind, repeated }) => ({ name, id, kind, repeated }));
    expect(fields(of)).toEqual(fields(from));
  });

  test('is less than the whole file', () => {
    expect(JSON.stringify(lean).length).toBeLessThan(JSON.stringify(whole).length * 0.9);
  });
});

test('names are found from the innermost scope outwards, and what nobody needs is gone', () => {
  const field = (type: string) => ({ type, id: 1 });
  const json: protobuf.INamespace = {
    nested: {
      a: {
        nested: {
          S: {
            methods: {
              Get: { requestType: 'Ask', responseType: '.a.b.Reply', comment: '' },
              Put: { requestType: 'Unused', responseType: 'Unused', comment: '' },
            },
          },
          Ask: {
            fields: { inner: field('Inner') },
            nested: { Inner: { fields: { text: field('string') } } },
          },
          Inner: { fields: { wrong: field('Unused') } },
          Unused: { fields: {} },
          b: { nested: { Reply: { fields: { kind: field('Kind') } }, Kind: { values: { NONE: 0 } } } },
        },
      },
      c: { nested: { Other: { fields: {} } } },
    },
  };
  const lean = reachableFrom(json, { 'a.S': ['Get'], 'not.there': ['Get'] });
  const names = (node: object): string[] =>
    'nested' in node
      ? Object.entries(node.nested as Record<string, object>).flatMap(([name, inner]) => [
          name,
          ...names(inner).map((each) => `${name}.${each}`),
        ])
      : [];
  expect(names(lean).sort()).toEqual(['a', 'a.Ask', 'a.Ask.Inner', 'a.S', 'a.b', 'a.b.Kind', 'a.b.Reply']);
});
