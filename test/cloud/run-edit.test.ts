import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServiceEdit } from '../../src/cloud/ports/index.ts';
import { editService, newService } from '../../src/cloud/run-edit.ts';
import { cloudSqlVolume, ingressContainer, toLiveService } from '../../src/cloud/run-normalise.ts';
import { ref, templateOf } from './kit.ts';
import { edits, overTheWire, type RunService, services } from './run-messages.ts';

const paths: Record<string, keyof ServiceEdit> = {
  template: 'template',
  traffic: 'traffic',
  annotations: 'annotations',
  invoker_iam_disabled: 'public',
  'scaling.min_instance_count': 'minInstances',
};

describe('any edit of any service', () => {
  test('names and sends what it changes, and nothing else', () => {
    fc.assert(
      fc.property(services, edits, (now, edit) => {
        const before = structuredClone(now);
        const { service, mask } = editService(now, edit);
        expect(mask.map((path) => paths[path]).sort()).toEqual(Object.keys(edit).sort());
        const parts = mask.map((path) => (path === 'invoker_iam_disabled' ? 'invokerIamDisabled' : path));
        const sent = ['name', 'etag', ...parts.map((path) => path.split('.')[0])];
        expect(Object.keys(service).sort()).toEqual(sent.sort());
        expect(now).toEqual(before);
      }),
    );
  });

  test('leaves every foreign part as it was, also after the wire', () => {
    fc.assert(
      fc.property(services, edits, (now, edit) => {
        const { service } = editService(now, edit);
        const sent = overTheWire(service);
        if (edit.template) expect(foreign(sent, edit, now)).toEqual(foreign(now, edit, now));
        if (edit.annotations) {
          const named = Object.keys(edit.annotations);
          expect(without(sent.annotations, named)).toEqual(without(now.annotations, named));
        }
        if (edit.minInstances !== undefined) {
          expect({ ...sent.scaling, minInstanceCount: 0 }).toEqual({
            ...overTheWire({ scaling: {} }).scaling,
            ...now.scaling,
            minInstanceCount: 0,
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  test('arrives: what was set is what is read afterwards', () => {
    fc.assert(
      fc.property(services, edits, (now, edit) => {
        const live = toLiveService(ref, overTheWire({ ...now, ...editService(now, edit).service }));
        if (edit.template) {
          const { set, env, secrets, labels, revision } = edit.template;
          expect(live.template).toMatchObject(set);
          expect(live.templateRevision).toBe(revision);
          expect({ ...live.template.labels, ...labels.set }).toEqual(live.template.labels);
          expect(Object.keys(live.template.env).filter((name) => Object.hasOwn(secrets.set, name))).toEqual(
            [],
          );
          expect({ ...live.template.secrets, ...secrets.set }).toEqual(live.template.secrets);
          const plain = without(env.set, Object.keys(secrets.set));
          expect({ ...live.template.env, ...plain }).toEqual(live.template.env);
        }
        if (edit.public !== undefined) expect(live.public).toBe(edit.public);
        if (edit.minInstances !== undefined) expect(live.minInstances).toBe(edit.minInstances);
        if (edit.traffic && edit.traffic.length > 0) expect(live.traffic).toEqual(edit.traffic);
      }),
      { numRuns: 300 },
    );
  });
});

/** A template without all that the edit may touch. */
function foreign(service: RunService, edit: ServiceEdit, former: RunService): unknown {
  const { template } = service;
  const { env, secrets, labels, annotations, set } = edit.template ?? templateOf('');
  // Of an empty template the edit makes the first container.
  const own = ingressContainer(template?.containers);
  const formerSql = cloudSqlVolume(former.template ?? {})?.name;
  const sql = cloudSqlVolume(template ?? {})?.name;
  const ours = set.cloudSql ? [formerSql, sql] : [];
  const touched = [...Object.keys(env.set), ...Object.keys(secrets.set)];
  return {
    labels: without(template?.labels, [...Object.keys(labels.set), ...labels.remove]),
    annotations: without(template?.annotations, Object.keys(annotations)),
    vpcAccess: template?.vpcAccess ?? null,
    executionEnvironment: template?.executionEnvironment ?? 'EXECUTION_ENVIRONMENT_UNSPECIFIED',
    sessionAffinity: template?.sessionAffinity ?? false,
    nodeSelector: template?.nodeSelector ?? null,
    minInstances: template?.scaling?.minInstanceCount ?? 0,
    sidecars: (template?.containers ?? [])
      .filter((container) => container !== own)
      .map((container) => ({ ...container, buildInfo: null })),
    volumes: (template?.volumes ?? []).filter((volume) => !ours.includes(volume.name)),
    mounts: (own?.volumeMounts ?? []).filter((mount) => !ours.includes(mount.name)),
    command: own?.command ?? [],
    name: own?.name ?? '',
    gpu: own?.resources?.limits?.['nvidia.com/gpu'],
    portName: own?.ports?.[0]?.name ?? '',
    periods: [own?.startupProbe?.periodSeconds, own?.livenessProbe?.periodSeconds],
    env: (own?.env ?? []).filter(
      ({ name, valueSource }) =>
        !touched.includes(name ?? '') && !(valueSource ? secrets : env).remove.includes(name ?? ''),
    ),
  };
}

function without(map: Record<string, string> | null | undefined, names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([name]) => !names.includes(name)));
}

describe('what only Cloud Run teaches', () => {
  const base = templateOf('chat-b');
  const container = (message: RunService) => message.template?.containers?.[0];

  test.for([
    ['no resources', undefined, true],
    ['request-based CPU', { cpuIdle: true }, true],
    ['always-on CPU', { cpuIdle: false }, false],
  ] as const)('%s: the way CPU is allocated stays', ([, resources, cpuIdle]) => {
    const now = { template: { containers: [{ image: 'a', ...(resources ? { resources } : {}) }] } };
    expect(container(editService(now, { template: base }).service)?.resources?.cpuIdle).toBe(cpuIdle);
  });

  test('a probe of the former port follows, one of another port stays', () => {
    const probes = { startupProbe: { tcpSocket: { port: 8080 } }, livenessProbe: { httpGet: { port: 7 } } };
    const now = { template: { containers: [{ ports: [{ containerPort: 8080 }], ...probes }] } };
    const changed = container(editService(now, { template: base }).service);
    expect(changed?.startupProbe?.tcpSocket?.port).toBe(9000);
    expect(changed?.livenessProbe?.httpGet?.port).toBe(7);
  });

  test('a Cloud SQL volume that a sidecar mounts too is kept', () => {
    const volumeMounts = [{ name: 'sql', mountPath: '/cloudsql' }];
    const now = {
      template: {
        containers: [
          { ports: [{ containerPort: 8080 }], volumeMounts },
          { name: 'proxy', volumeMounts },
        ],
        volumes: [{ name: 'sql', cloudSqlInstance: { instances: ['p:r:i'] } }],
      },
    };
    const { template } = editService(now, { template: { ...base, set: { cloudSql: [] } } }).service;
    expect(template?.volumes).toEqual(now.template.volumes);
    expect(template?.containers?.map((each) => each.volumeMounts?.length)).toEqual([0, 1]);
  });

  test('a new service sends all its traffic to the revision that it names', () => {
    const created = overTheWire(newService({ template: base, public: true }));
    expect(toLiveService(ref, created)).toMatchObject({
      traffic: [{ revision: 'chat-b', percent: 100 }],
      public: true,
      templateRevision: 'chat-b',
    });
  });
});
