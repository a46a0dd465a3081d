import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkRevisionId, checkServiceId, generateRevisionId } from '../../src/local/run/names.ts';
import { checkVersion } from '../../src/local/run/refusals.ts';
import { checkResources } from '../../src/local/run/resources.ts';
import { parseSpec, specFields } from '../../src/local/run/spec-fields.ts';
import { withDefaults } from '../../src/local/run/template.ts';
import { splitOf } from '../../src/local/run/traffic.ts';
import { formatEtag, versionOf } from '../../src/local/run/v2/etag.ts';
import { applyMask } from '../../src/local/run/v2/mask.ts';

const place = { project: 'demo', location: 'europe-west1', service: 'chat' };
const serviceId = fc.stringMatching(/^[a-z][-a-z0-9]{0,47}[a-z0-9]$/);
const containers = [{ image: 'repo/chat:1' }];

test('a generated revision name is always one that may be given', () => {
  fc.assert(
    fc.property(serviceId, fc.integer({ min: 1, max: 99_999 }), (service, number) => {
      checkServiceId(service);
      checkRevisionId(service, generateRevisionId(service, number));
    }),
  );
});

test('an etag matches its own version and no other', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (one, other) => {
      checkVersion('chat', versionOf(formatEtag(one)), one);
      fc.pre(one !== other);
      expect(() => checkVersion('chat', versionOf(formatEtag(one)), other)).toThrow(
        `Conflict for resource 'chat': version '${one}' was specified but current version is '${other}'.`,
      );
    }),
  );
});

test('defaults written out change nothing when they come back', () => {
  const once = withDefaults({ containers }, place);
  expect(withDefaults(once, place)).toEqual(once);
  expect(once).toMatchObject({
    maxInstanceRequestConcurrency: 80,
    timeout: { seconds: '300' },
    containers: [
      { ports: [{ containerPort: 8080 }], startupProbe: { periodSeconds: 240, failureThreshold: 1 } },
    ],
  });
});

test('values that mean "not set" are dropped, but not the users’ own', () => {
  const message = {
    name: 'projects/p/locations/l/services/chat',
    uid: 'x',
    etag: 'y',
    binaryAuthorization: null,
    invokerIamDisabled: false,
    labels: { empty: '' },
    template: {
      containers: [
        {
          image: 'i',
          command: [],
          env: [
            { name: 'ZERO', value: '0' },
            { name: 'ODD', value: 'X_UNSPECIFIED' },
          ],
        },
      ],
      executionEnvironment: 'EXECUTION_ENVIRONMENT_UNSPECIFIED',
      encryptionKey: '',
    },
  };
  expect(specFields(message)).toEqual({
    labels: { empty: '' },
    template: {
      containers: [{ image: 'i', env: message.template.containers[0]?.env }],
    },
  });
  expect(parseSpec(specFields(message)).template.containers).toHaveLength(1);
});

describe('a field mask', () => {
  const stored = {
    labels: { a: '1' },
    description: 'old',
    template: { containers, timeout: { seconds: '5' } },
  };
  const sent = { labels: { b: '2' }, template: { containers: [{ image: 'new' }] } };

  test.for([
    [[], sent],
    [['*'], sent],
    [['labels'], { ...stored, labels: { b: '2' } }],
    [['description'], { labels: stored.labels, template: stored.template }],
    [['name', 'etag'], stored],
    [['template.containers'], { ...stored, template: { ...stored.template, ...sent.template } }],
    [['template.timeout'], { ...stored, template: { containers } }],
    [['template'], { ...stored, template: sent.template }],
  ] as const)('%j', ([paths, expected]) => {
    expect(applyMask(stored, sent, paths)).toEqual(expected);
  });

  test.for(['template.speed', 'labels.a', 'uid', '', '__proto__.x'])('refuses %j', (path) => {
    expect(() => applyMask(stored, sent, [path])).toThrow(/update_mask/);
  });
});

test('a split adds up what one revision gets', () => {
  const type = 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION';
  const targets = [
    { type, revision: 'a', percent: 30 },
    { type, revision: 'b', percent: 50 },
    { type, revision: 'a', percent: 20 },
    { type, revision: 'c', percent: 0, tag: 'next' },
  ] as const;
  expect(splitOf(targets)).toEqual([
    { revision: 'a', percent: 50 },
    { revision: 'b', percent: 50 },
  ]);
});

test.for([
  ['1', '512Mi', 80, true, undefined],
  ['1000m', '4Gi', 80, false, undefined],
  ['2', '8Gi', 80, true, undefined],
  ['8', '32Gi', 1, true, undefined],
  ['500m', '1Gi', 1, true, undefined],
  ['80m', '128Mi', 1, true, undefined],
  ['3', '4Gi', 80, true, 'cpu'],
  ['16', '32Gi', 80, true, 'cpu'],
  ['50m', '128Mi', 1, true, 'cpu'],
  ['500m', '512Mi', 2, true, 'concurrency > 1'],
  ['500m', '512Mi', 1, false, 'cpu_idle'],
  ['1', '64Mi', 80, true, 'between 128Mi and 4Gi'],
  ['1', '8Gi', 80, true, 'between 128Mi and 4Gi'],
  ['4', '512Mi', 80, true, 'between 2Gi and 16Gi'],
  ['400m', '1Gi', 1, true, 'between 128Mi and 512Mi'],
] as const)(
  '%s CPU with %s, %s requests at a time, idle %s',
  ([cpu, memory, concurrency, cpuIdle, refusal]) => {
    const check = () =>
      checkResources({
        containers: [{ image: 'images/good:1', resources: { limits: { cpu, memory }, cpuIdle } }],
        maxInstanceRequestConcurrency: concurrency,
      });
    if (refusal === undefined) check();
    else expect(check).toThrow(refusal);
  },
);

test.each([
  ['api-key', '/keys', true],
  ['deep/..data/...', '/..keys/.hidden', true],
  ['..', '/keys/..', false],
  ['a/./b', '/./keys', false],
  ['a\n/../../x', '/a\n/../proc', false],
  ['a\u2028/../../x', '/a\u2028/../proc', false],
  ['a\tb', '/a\u0085b', false],
  ['/api-key', 'keys', false],
  ['', '//proc', false],
])('a secret at %j of a volume at %j is taken: %j', (item, mountPath, taken) => {
  const spec = (path: string, at: string) => () =>
    parseSpec({
      template: {
        containers: [{ image: 'i', volumeMounts: [{ name: 'v', mountPath: at }] }],
        volumes: [{ name: 'v', secret: { secret: 's', items: [{ path }] } }],
      },
    });
  if (taken) return expect(spec(item, mountPath)).not.toThrow();
  expect(spec(item, '/keys')).toThrow('must be a path within the volume');
  expect(spec('api-key', mountPath)).toThrow(/mountPath: must be/);
});
