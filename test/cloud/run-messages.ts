import { createRequire } from 'node:module';
import type { google } from '@google-cloud/run/build/protos/protos.js';
import { fromJSON, type MessageTypeDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import type { ServiceEdit } from '../../src/cloud/ports/index.ts';

export type RunService = google.cloud.run.v2.IService;

const require = createRequire(import.meta.url);
/** As gax decodes a unary answer. */
const definitions = fromJSON(require('@google-cloud/run/build/protos/protos.json'), {
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});

// A package definition does not type its members; this one is a message.
const type = definitions['google.cloud.run.v2.Service'] as MessageTypeDefinition<RunService, RunService>;

/** Sends a message over an imagined wire: encodes it and decodes it as the client would. */
export function overTheWire(message: RunService): RunService {
  return type.deserialize(type.serialize(message));
}

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
const key = fc.constantFrom('A', 'B', 'C', 'D', '__proto__', 'constructor');
const text = fc.string({ maxLength: 8 });
const texts = fc.dictionary(key, text, { maxKeys: 4 });

const variable = fc.oneof(
  fc.record({ name: key, value: text }),
  fc.record({
    name: key,
    valueSource: fc.record({ secretKeyRef: fc.record({ secret: word, version: word }) }),
  }),
);
const probe = fc.record({
  periodSeconds: fc.nat(240),
  tcpSocket: fc.record({ port: fc.constantFrom(8080, 9999) }),
});
const container = fc.record(
  {
    name: word,
    image: word,
    command: fc.array(word, { maxLength: 2 }),
    env: fc.uniqueArray(variable, { maxLength: 4, selector: ({ name }) => name }),
    ports: fc.array(fc.record({ name: fc.constantFrom('', 'h2c'), containerPort: fc.constant(8080) }), {
      maxLength: 1,
    }),
    resources: fc.record({
      limits: fc.dictionary(fc.constantFrom('cpu', 'memory', 'nvidia.com/gpu'), word),
      cpuIdle: fc.boolean(),
    }),
    volumeMounts: fc.uniqueArray(
      fc.constantFrom(
        { name: 'sql', mountPath: '/cloudsql' },
        { name: 'disk', mountPath: '/data' },
        { name: 'keys', mountPath: '/keys' },
      ),
    ),
    livenessProbe: probe,
    startupProbe: probe,
    buildInfo: fc.record({ functionTarget: word }),
  },
  { requiredKeys: ['name', 'image', 'env'] },
);
const volumes = fc.subarray([
  { name: 'sql', cloudSqlInstance: { instances: ['p:r:old'] } },
  { name: 'disk', emptyDir: { sizeLimit: '1Gi' } },
  { name: 'keys', secret: { secret: 'keys', items: [{ path: 'a', version: '1', mode: 256 }] } },
]);
const template = fc.record(
  {
    revision: word,
    labels: texts,
    annotations: texts,
    scaling: fc.record({ minInstanceCount: fc.nat(3), maxInstanceCount: fc.nat(3) }),
    vpcAccess: fc.record({ connector: word, egress: fc.constant('PRIVATE_RANGES_ONLY' as const) }),
    timeout: fc.record({ seconds: fc.nat(3600), nanos: fc.constant(0) }),
    serviceAccount: word,
    containers: fc.array(container, { maxLength: 3 }),
    volumes,
    executionEnvironment: fc.constant('EXECUTION_ENVIRONMENT_GEN2' as const),
    maxInstanceRequestConcurrency: fc.nat(1000),
    sessionAffinity: fc.boolean(),
    nodeSelector: fc.record({ accelerator: word }),
  },
  { requiredKeys: [] },
);

/** Any service that Google might answer, with parts that Sluice knows nothing of. */
export const services: fc.Arbitrary<RunService> = fc
  .record(
    {
      name: word,
      etag: word,
      uid: word,
      generation: fc.nat(),
      labels: texts,
      annotations: texts,
      template,
      scaling: fc.record({ minInstanceCount: fc.nat(3), manualInstanceCount: fc.nat(3) }),
      traffic: fc.array(fc.record({ revision: word, percent: fc.nat(100), tag: word }), { maxLength: 3 }),
      customAudiences: fc.array(word, { maxLength: 2 }),
      ingress: fc.constant('INGRESS_TRAFFIC_INTERNAL_ONLY' as const),
      uri: word,
    },
    { requiredKeys: ['name', 'etag'] },
  )
  .map((service) => overTheWire(service));

const secret = fc.record({ secret: word, version: word });

function maybe<T>(value: fc.Arbitrary<T>, keyName: string) {
  return fc
    .option(value, { nil: undefined })
    .map((found) => (found === undefined ? {} : { [keyName]: found }));
}

const templateEdit: fc.Arbitrary<NonNullable<ServiceEdit['template']>> = fc.record({
  revision: word,
  set: fc.record(
    {
      image: word,
      cloudSql: fc.array(word, { maxLength: 2 }),
      port: fc.integer({ min: 1, max: 65535 }),
      cpu: word,
      memory: word,
      concurrency: fc.nat(1000),
      timeoutSeconds: fc.nat(3600),
      maxInstances: fc.nat(100),
      cpuBoost: fc.boolean(),
      serviceAccount: word,
    },
    { requiredKeys: [] },
  ),
  env: fc.record({ set: texts, remove: fc.subarray(['A', 'B', 'C']) }),
  secrets: fc.record({ set: fc.dictionary(key, secret, { maxKeys: 2 }), remove: fc.subarray(['A', 'B']) }),
  labels: fc.record({ set: texts, remove: fc.subarray(['A', 'B']) }),
  annotations: texts,
});

export const edits: fc.Arbitrary<ServiceEdit> = fc
  .tuple(
    maybe(templateEdit, 'template'),
    maybe(fc.array(fc.record({ revision: word, percent: fc.nat(100) }), { maxLength: 3 }), 'traffic'),
    maybe(fc.dictionary(key, fc.option(text), { maxKeys: 3 }), 'annotations'),
    maybe(fc.boolean(), 'public'),
    maybe(fc.nat(10), 'minInstances'),
  )
  .map((parts) => Object.assign({}, ...parts));
