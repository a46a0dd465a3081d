import fc from 'fast-check';
import { expect, test } from 'vitest';
import { knativePath } from '../../src/local/run/knative/field-path.ts';
import { fromKnative } from '../../src/local/run/knative/from-knative.ts';
import { knativeService } from '../../src/local/run/knative/objects.ts';
import { formatResourceVersion, readResourceVersion } from '../../src/local/run/knative/resource-version.ts';
import { knativeServiceSchema } from '../../src/local/run/knative/schema.ts';
import { labelSelector } from '../../src/local/run/knative/selector.ts';
import type { Spec } from '../../src/local/run/schema.ts';
import { parseSpec, withoutUnset } from '../../src/local/run/spec-fields.ts';
import type { Service } from '../../src/local/run/state.ts';
import { withDefaults } from '../../src/local/run/template.ts';

const place = { project: 'demo', location: 'europe-west1', service: 'chat' };

function stored(spec: Spec): Service {
  return {
    ...place,
    ...{ uid: 'u', generation: 1, observedGeneration: 1, version: 7, lastNumber: 1 },
    ...{ createTime: '2026-01-01T00:00:00Z', updateTime: '2026-01-01T00:00:00Z' },
    ...{ spec, revisions: [], latestCreated: 'chat-1', reconciling: false, conditions: [], actual: [] },
    ...{ uri: 'http://127.0.0.1:1', tagUris: {}, pending: [] },
  };
}

/** Over the wire of the v1 API: what a client reads and writes back unchanged. */
function writtenBack(spec: Spec): Spec {
  const sent: unknown = JSON.parse(JSON.stringify(knativeService(stored(spec))));
  return parseSpec(fromKnative(knativeServiceSchema.parse(sent)));
}

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const optional = { requiredKeys: [] };
const map = fc.dictionary(word, word, { minKeys: 1, maxKeys: 3 });
const count = fc.integer({ min: 1, max: 200 });
const variable = fc.oneof(
  fc.record({ value: fc.string({ minLength: 1 }).filter((text) => !text.includes('\0')) }),
  fc.record({
    valueSource: fc.record({
      secretKeyRef: fc.record({ secret: word, version: fc.constantFrom('latest', '3') }),
    }),
  }),
);
const env = fc
  .dictionary(fc.stringMatching(/^[A-W]{1,5}$/), variable, { minKeys: 1, maxKeys: 4 })
  .map((variables) => Object.entries(variables).map(([name, rest]) => ({ name, ...rest })));
const probe = fc.oneof(
  fc.record({ periodSeconds: fc.integer({ min: 10, max: 240 }), tcpSocket: fc.record({ port: count }) }),
  fc.record({
    failureThreshold: count,
    httpGet: fc.record({
      path: word.map((path) => `/${path}`),
      port: count,
      httpHeaders: fc.constant([{ name: 'A', value: 'b' }]),
    }),
  }),
);
const container = fc.record(
  {
    image: word,
    name: word,
    command: fc.array(word, { minLength: 1 }),
    args: fc.array(word, { minLength: 1 }),
    env,
    resources: fc.record(
      {
        limits: fc.record(
          { cpu: fc.constantFrom('1', '2000m'), memory: fc.constantFrom('512Mi', '1Gi') },
          optional,
        ),
        cpuIdle: fc.constant(true),
        startupCpuBoost: fc.constant(true),
      },
      optional,
    ),
    ports: fc.record({ containerPort: count }).map((port) => [port]),
    startupProbe: probe,
    volumeMounts: fc.constant([
      { name: 'keys', mountPath: '/keys' },
      { name: 'cloudsql', mountPath: '/cloudsql' },
    ]),
  },
  { requiredKeys: ['image', 'volumeMounts'] },
);
const volumes: Spec['template']['volumes'] = [
  {
    name: 'keys',
    secret: { secret: 'key', items: [{ path: 'a/b', version: 'latest', mode: 0o400 }], defaultMode: 0o444 },
  },
  { name: 'scratch', emptyDir: { medium: 'MEMORY', sizeLimit: '64Mi' } },
  { name: 'cloudsql', cloudSqlInstance: { instances: ['p:r:one', 'p:r:two'] } },
];
const template = fc.record(
  {
    revision: word.map((suffix) => `chat-${suffix}`),
    labels: map,
    annotations: map,
    scaling: fc.record({ minInstanceCount: fc.constant(1), maxInstanceCount: count }, optional),
    timeout: fc.record({ seconds: count.map(String) }),
    serviceAccount: word,
    containers: container.map((each) => [each]),
    volumes: fc.constant(volumes),
    sessionAffinity: fc.constant(true),
    executionEnvironment: fc.constantFrom('EXECUTION_ENVIRONMENT_GEN1', 'EXECUTION_ENVIRONMENT_GEN2'),
    maxInstanceRequestConcurrency: count,
  },
  { requiredKeys: ['containers', 'volumes'] },
);
const spec = fc.record(
  {
    description: word,
    labels: map,
    annotations: map,
    client: word,
    clientVersion: word,
    ingress: fc.constantFrom('INGRESS_TRAFFIC_ALL', 'INGRESS_TRAFFIC_INTERNAL_ONLY'),
    launchStage: fc.constantFrom('BETA', 'ALPHA'),
    template,
    traffic: fc.constant([
      { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', percent: 60 },
      { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: 'chat-old', percent: 40 },
      { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: 'chat-old', tag: 'was' },
      { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', tag: 'next' },
    ]),
    scaling: fc.record({ minInstanceCount: count }),
    invokerIamDisabled: fc.constant(true),
    buildConfig: fc
      .record({ name: word, imageUri: word, environmentVariables: map }, optional)
      .filter((config) => Object.keys(config).length > 0),
  },
  { requiredKeys: ['template', 'traffic'] },
);

test('what one API wrote, the other reads and writes back without changing it', () => {
  fc.assert(
    fc.property(spec, (fields) => {
      const parsed = parseSpec(withoutUnset(fields));
      const complete = { ...parsed, template: withDefaults(parsed.template, place) };
      expect(writtenBack(complete)).toEqual(withoutUnset(complete));
    }),
    { numRuns: 60 },
  );
});

test('a resource version is eight bytes of its version', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (version) => {
      expect(readResourceVersion(formatResourceVersion(version))).toBe(String(version));
    }),
  );
  expect(readResourceVersion('AAZhQGOE8RE')).toBe('1795779035722001');
  expect(readResourceVersion('x')).toBe('x');
});

test.for([
  [
    ['template', 'containers', 0, 'resources', 'limits', 'cpu'],
    'spec.template.spec.containers[0].resources.limits.cpu',
  ],
  [
    ['template', 'containers', 0, 'resources', 'cpuIdle'],
    'spec.template.metadata.annotations[run.googleapis.com/cpu-throttling]',
  ],
  [
    ['template', 'containers', 0, 'env', 1, 'valueSource', 'secretKeyRef', 'version'],
    'spec.template.spec.containers[0].env[1].valueFrom.secretKeyRef.key',
  ],
  [['template', 'volumes', 0, 'secret', 'secret'], 'spec.template.spec.volumes[0].secret.secretName'],
  [
    ['template', 'volumes', 0, 'cloudSqlInstance', 'instances'],
    'spec.template.metadata.annotations[run.googleapis.com/cloudsql-instances]',
  ],
  [
    ['template', 'scaling', 'maxInstanceCount'],
    'spec.template.metadata.annotations[autoscaling.knative.dev/maxScale]',
  ],
  [['template', 'scaling'], 'spec.template.metadata.annotations[autoscaling.knative.dev/minScale]'],
  [['template', 'revision'], 'spec.template.metadata.name'],
  [['template', 'timeout'], 'spec.template.spec.timeoutSeconds'],
  [['template', 'labels', 'a'], 'spec.template.metadata.labels.a'],
  [['traffic', 1, 'revision'], 'spec.traffic[1].revisionName'],
  [['ingress'], 'metadata.annotations[run.googleapis.com/ingress]'],
  [['serviceId'], 'metadata.name'],
] as const)('%j is %s in Knative’s words', ([path, expected]) => {
  expect(knativePath(path)).toBe(expected);
});

test.for([
  ['a=b', true],
  ['a == b,c', true],
  ['serving.knative.dev/service = chat', true],
  ['a!=b', false],
  ['a!=x,!d', true],
  ['d', false],
  ['', true],
] as const)('the selector %j', ([selector, expected]) => {
  expect(labelSelector(selector)({ a: 'b', c: '', 'serving.knative.dev/service': 'chat' })).toBe(expected);
});

test('a selector that is not supported is refused', () => {
  expect(() => labelSelector('a in (b)')).toThrow("'a in (b)' is not one");
});
