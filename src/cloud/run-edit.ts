import type { google } from '@google-cloud/run/build/protos/protos.js';
import type { SecretRef, ServiceEdit, TrafficTarget } from './ports/index.ts';
import { cloudSqlVolume, ingressContainer } from './run-normalise.ts';

type RunService = google.cloud.run.v2.IService;
type RunTemplate = google.cloud.run.v2.IRevisionTemplate;
type Container = google.cloud.run.v2.IContainer;
type EnvVar = google.cloud.run.v2.IEnvVar;
type TemplateEdit = NonNullable<ServiceEdit['template']>;

/**
 * The update that makes this edit of a decoded service, and nothing else: only the parts that the mask names are
 * sent, each a changed copy of what stands there now. The message that is passed is not changed.
 */
export function editService(now: RunService, edit: ServiceEdit): { service: RunService; mask: string[] } {
  const parts: { path: string; part: RunService }[] = [];
  if (edit.template) {
    parts.push({ path: 'template', part: { template: editTemplate(now.template ?? {}, edit.template) } });
  }
  if (edit.traffic) {
    parts.push({ path: 'traffic', part: { traffic: edit.traffic.map(toTrafficTarget) } });
  }
  if (edit.annotations) {
    const annotations = editMap(now.annotations, edit.annotations);
    parts.push({ path: 'annotations', part: { annotations } });
  }
  if (edit.public !== undefined) {
    parts.push({ path: 'invoker_iam_disabled', part: { invokerIamDisabled: edit.public } });
  }
  if (edit.minInstances !== undefined) {
    const scaling = { ...now.scaling, minInstanceCount: edit.minInstances };
    parts.push({ path: 'scaling.min_instance_count', part: { scaling } });
  }
  return {
    service: Object.assign({ name: now.name, etag: now.etag }, ...parts.map(({ part }) => part)),
    mask: parts.map(({ path }) => path),
  };
}

/** A new service of this edit. All traffic goes to the named revision unless the edit says otherwise. */
export function newService(edit: ServiceEdit & { template: TemplateEdit }): RunService {
  const { service } = editService({}, edit);
  const first = { revision: edit.template.revision, percent: 100 };
  return { ...service, traffic: (edit.traffic ?? [first]).map(toTrafficTarget) };
}

function editTemplate(now: RunTemplate, edit: TemplateEdit): RunTemplate {
  const template = structuredClone(now);
  const own = ingressContainer(template.containers) ?? {};
  template.containers = template.containers?.length ? template.containers : [own];
  // A name that stands there already belongs to the revision before.
  template.revision = edit.revision;
  template.labels = editMap(template.labels, removing(edit.labels));
  template.annotations = editMap(template.annotations, edit.annotations);
  own.env = editEnv(own.env ?? [], edit);
  setContainer(own, edit.set);
  setTemplate(template, edit.set);
  if (edit.set.cloudSql) setCloudSql(template, own, edit.set.cloudSql);
  for (const container of template.containers) delete container.buildInfo; // output only
  return template;
}

function setTemplate(template: RunTemplate, set: TemplateEdit['set']): void {
  if (set.serviceAccount !== undefined) template.serviceAccount = set.serviceAccount;
  if (set.concurrency !== undefined) template.maxInstanceRequestConcurrency = set.concurrency;
  if (set.timeoutSeconds !== undefined) template.timeout = { seconds: set.timeoutSeconds };
  if (set.maxInstances !== undefined) {
    template.scaling = { ...template.scaling, maxInstanceCount: set.maxInstances };
  }
}

function setContainer(container: Container, set: TemplateEdit['set']): void {
  if (set.image !== undefined) container.image = set.image;
  if (set.port !== undefined) setPort(container, set.port);
  const limits = {
    ...(set.cpu === undefined ? {} : { cpu: set.cpu }),
    ...(set.memory === undefined ? {} : { memory: set.memory }),
  };
  if (Object.keys(limits).length === 0 && set.cpuBoost === undefined) return;
  const resources = container.resources;
  container.resources = {
    ...resources,
    limits: { ...resources?.limits, ...limits },
    // Resources without it would turn request-based CPU into always-on CPU.
    cpuIdle: resources?.cpuIdle ?? true,
    ...(set.cpuBoost === undefined ? {} : { startupCpuBoost: set.cpuBoost }),
  };
}

function setPort(container: Container, port: number): void {
  const former = container.ports?.[0];
  // The name says which protocol is spoken (h2c) and stays.
  container.ports = [{ ...former, containerPort: port }];
  // Cloud Run answers with its default probe written out, port included: left behind, it would ask the former port.
  for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
    const action = probe?.tcpSocket ?? probe?.httpGet ?? probe?.grpc;
    if (action?.port && action.port === former?.containerPort) action.port = port;
  }
}

/** Variables keep their places, new ones go to the end. A removal never takes a variable of the other sort. */
function editEnv(now: readonly EnvVar[], edit: TemplateEdit): EnvVar[] {
  const wanted = new Map<string, EnvVar>([
    ...Object.entries(edit.env.set).map(([name, value]) => [name, { name, value }] as const),
    ...Object.entries(edit.secrets.set).map(([name, ref]) => [name, toSecretVariable(name, ref)] as const),
  ]);
  const removed = (entry: EnvVar) =>
    (entry.valueSource ? edit.secrets.remove : edit.env.remove).includes(entry.name ?? '');
  const kept = now.flatMap((entry) => {
    const replacement = wanted.get(entry.name ?? '');
    if (replacement) {
      wanted.delete(entry.name ?? '');
      return [replacement];
    }
    return removed(entry) ? [] : [entry];
  });
  return [...kept, ...wanted.values()];
}

function toSecretVariable(name: string, ref: SecretRef): EnvVar {
  return { name, valueSource: { secretKeyRef: { secret: ref.secret, version: ref.version } } };
}

function setCloudSql(template: RunTemplate, own: Container, instances: string[]): void {
  const volume = cloudSqlVolume(template);
  if (volume && instances.length > 0) {
    volume.cloudSqlInstance = { instances };
  } else if (volume) {
    own.volumeMounts = (own.volumeMounts ?? []).filter((mount) => mount.name !== volume.name);
    const mounts = (template.containers ?? []).flatMap((container) => container.volumeMounts ?? []);
    if (mounts.some((mount) => mount.name === volume.name)) return; // a sidecar's too
    template.volumes = (template.volumes ?? []).filter((other) => other !== volume);
  } else if (instances.length > 0) {
    const volumes = template.volumes ?? [];
    const name = freeName(
      'cloudsql',
      volumes.map((other) => other.name),
    );
    template.volumes = [...volumes, { name, cloudSqlInstance: { instances } }];
    own.volumeMounts = [...(own.volumeMounts ?? []), { name, mountPath: '/cloudsql' }];
  }
}

function freeName(wish: string, taken: readonly unknown[]): string {
  let name = wish;
  for (let number = 2; taken.includes(name); number += 1) name = `${wish}-${number}`;
  return name;
}

function toTrafficTarget(target: TrafficTarget): google.cloud.run.v2.ITrafficTarget {
  const rest = { percent: target.percent, ...(target.tag ? { tag: target.tag } : {}) };
  return target.revision === 'LATEST'
    ? { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', ...rest }
    : { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: target.revision, ...rest };
}

function removing(edit: { set: Record<string, string>; remove: string[] }): Record<string, string | null> {
  return { ...Object.fromEntries(edit.remove.map((key) => [key, null])), ...edit.set };
}

function editMap(
  now: Record<string, string> | null | undefined,
  edit: Record<string, string | null>,
): Record<string, string> {
  const entries = Object.entries({ ...now, ...edit });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
}
