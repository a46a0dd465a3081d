import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toLiveRevision, toLiveService } from '../../src/cloud/run-normalise.ts';
import { ref } from './kit.ts';
import { overTheWire, type RunService, services } from './run-messages.ts';

const live = (service: RunService) => toLiveService(ref, overTheWire(service));

describe('traffic', () => {
  const named = 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION';
  const latest = 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST';

  test('that is not there is all of it on LATEST', () => {
    expect(live({}).traffic).toEqual([{ revision: 'LATEST', percent: 100 }]);
  });

  test('keeps tags and 0 % entries, and what is desired apart from what is', () => {
    const { traffic, actualTraffic } = live({
      traffic: [
        { type: latest, percent: 100 },
        { type: named, revision: 'chat-b', tag: 'next' },
      ],
      trafficStatuses: [{ type: named, revision: 'chat-a', percent: 100, uri: 'http://x' }],
    });
    expect(traffic).toEqual([
      { revision: 'LATEST', percent: 100 },
      { revision: 'chat-b', percent: 0, tag: 'next' },
    ]);
    expect(actualTraffic).toEqual([{ revision: 'chat-a', percent: 100, uri: 'http://x' }]);
  });
});

test('the ingress container is the one with a port, the others are foreign', () => {
  const { template, foreign } = live({
    template: {
      containers: [
        { name: 'proxy', image: 'proxy', env: [{ name: 'A', value: 'proxy' }] },
        {
          name: 'app',
          image: 'app',
          ports: [{ containerPort: 8080 }],
          args: ['serve'],
          env: [
            { name: 'A', value: '' },
            { name: 'KEY', valueSource: { secretKeyRef: { secret: 'key', version: 'latest' } } },
          ],
          volumeMounts: [{ name: 'sql', mountPath: '/cloudsql' }],
        },
      ],
      volumes: [
        { name: 'sql', cloudSqlInstance: { instances: ['p:r:i'] } },
        { name: 'disk', emptyDir: {} },
      ],
      timeout: { seconds: 300 },
      vpcAccess: { connector: 'c' },
    },
  });
  expect(template).toMatchObject({
    image: 'app',
    env: { A: '' },
    secrets: { KEY: { secret: 'key', version: 'latest' } },
    cloudSql: ['p:r:i'],
    timeoutSeconds: 300,
  });
  expect(foreign).toEqual(['container proxy', 'volume disk', 'vpcAccess', 'args']);
});

test('numbers beyond 2^53 and short names survive', () => {
  const revision = 'projects/p/locations/r/services/chat/revisions/chat-a';
  const service = live({ generation: '9007199254740993', latestReadyRevision: revision });
  expect(service).toMatchObject({ generation: '9007199254740993', latestReadyRevision: 'chat-a' });
});

test.for([
  ['CONDITION_SUCCEEDED', 'yes'],
  ['CONDITION_FAILED', 'no'],
  ['CONDITION_RECONCILING', 'not-yet'],
  ['CONDITION_PENDING', 'not-yet'],
] as const)('a revision whose Ready is %s: %s', ([state, ready]) => {
  const condition = { type: 'Ready', state, message: 'm', revisionReason: 'HEALTH_CHECK_CONTAINER_ERROR' };
  const revision = toLiveRevision({
    name: 'x/revisions/chat-a',
    service: 'chat',
    createTime: { seconds: '1790000000', nanos: 5e8 },
    conditions: [{ type: 'Active' }, { ...condition, revisionReason: 'HEALTH_CHECK_CONTAINER_ERROR' }],
  });
  expect(revision).toMatchObject({ name: 'chat-a', ready, createdAt: '2026-09-21T14:13:20.500Z' });
  expect(revision.conditions[1]?.reason).toBe('HEALTH_CHECK_CONTAINER_ERROR');
});

test('any service can be read, and reading changes nothing', () => {
  fc.assert(
    fc.property(services, (service) => {
      const before = structuredClone(service);
      const read = toLiveService(ref, service);
      expect(read.raw).toBe(service);
      expect(service).toEqual(before);
      expect(Object.values({ ...read, raw: null })).not.toContain(undefined);
    }),
  );
});
