import type { google } from '@google-cloud/run/build/protos/protos.js';
import type {
  Condition,
  LiveRevision,
  LiveService,
  ObservedTraffic,
  ServiceRef,
  Template,
  TrafficTarget,
} from './ports/index.ts';

// The one border between Cloud Run's decoded messages (unary gRPC: enums by name, int64 as strings, '' / 0 / null
// for unset, oneof keys such as `values`) and the words of the ports. Results of operations never come here: a
// service is read anew after its operation.
type RunService = google.cloud.run.v2.IService;
type RunRevision = google.cloud.run.v2.IRevision;
type RunTemplate = google.cloud.run.v2.IRevisionTemplate;
type Container = google.cloud.run.v2.IContainer;

const latest = 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST';
const cloudSqlPath = '/cloudsql';

const states: Record<string, Condition['state']> = {
  CONDITION_PENDING: 'pending',
  CONDITION_RECONCILING: 'reconciling',
  CONDITION_FAILED: 'failed',
  CONDITION_SUCCEEDED: 'succeeded',
};

/** `openedByPolicy`: what the service itself does not say. */
export function toLiveService(ref: ServiceRef, service: RunService, openedByPolicy = false): LiveService {
  const template = service.template ?? {};
  return {
    ref,
    etag: service.etag ?? '',
    generation: String(service.generation ?? '0'),
    observedGeneration: String(service.observedGeneration ?? '0'),
    reconciling: service.reconciling ?? false,
    uri: service.uri ?? '',
    template: toTemplate(template, template.maxInstanceRequestConcurrency),
    templateRevision: shortName(template.revision),
    foreign: foreignParts(template),
    annotations: { ...service.annotations },
    traffic: toTraffic(service.traffic),
    actualTraffic: (service.trafficStatuses ?? []).map(toObserved),
    conditions: [service.terminalCondition, ...(service.conditions ?? [])].flatMap(toConditions),
    latestReadyRevision: shortName(service.latestReadyRevision),
    latestCreatedRevision: shortName(service.latestCreatedRevision),
    public: service.invokerIamDisabled || openedByPolicy,
    openedByPolicy,
    minInstances: service.scaling?.minInstanceCount ?? 0,
    raw: service,
  };
}

export function toLiveRevision(revision: RunRevision): LiveRevision {
  const conditions = (revision.conditions ?? []).flatMap(toConditions);
  return {
    name: shortName(revision.name),
    service: shortName(revision.service),
    template: toTemplate(revision, revision.maxInstanceRequestConcurrency),
    annotations: { ...revision.annotations },
    conditions,
    ready: readiness(conditions),
    createdAt: toIsoTime(revision.createTime),
  };
}

/** The container that gets the requests: the one with a port, or the only one. */
export function ingressContainer(containers: readonly Container[] | null | undefined): Container | undefined {
  return containers?.find((container) => (container.ports ?? []).length > 0) ?? containers?.[0];
}

/** The Cloud SQL volume of the ingress container, if it has one at the usual place. */
export function cloudSqlVolume(
  template: Pick<RunTemplate, 'containers' | 'volumes'>,
): google.cloud.run.v2.IVolume | undefined {
  const mounts = ingressContainer(template.containers)?.volumeMounts ?? [];
  const mounted = mounts.filter((mount) => mount.mountPath === cloudSqlPath).map((mount) => mount.name);
  return template.volumes?.find((volume) => volume.cloudSqlInstance && mounted.includes(volume.name));
}

/** The last part of a resource name; a short name stays as it is. */
function shortName(name: string | null | undefined): string {
  return name?.slice(name.lastIndexOf('/') + 1) ?? '';
}

function toTemplate(
  template: Pick<RunTemplate, 'containers' | 'volumes' | 'labels' | 'scaling' | 'serviceAccount' | 'timeout'>,
  concurrency: number | null | undefined,
): Template {
  const container = ingressContainer(template.containers);
  const variables = container?.env ?? [];
  const limits = container?.resources?.limits ?? {};
  return {
    image: container?.image ?? '',
    env: Object.fromEntries(
      variables.filter((entry) => !entry.valueSource).map(({ name, value }) => [name ?? '', value ?? '']),
    ),
    secrets: Object.fromEntries(
      variables.flatMap(({ name, valueSource }) => {
        const key = valueSource?.secretKeyRef;
        return key ? [[name ?? '', { secret: key.secret ?? '', version: key.version ?? '' }]] : [];
      }),
    ),
    cloudSql: [...(cloudSqlVolume(template)?.cloudSqlInstance?.instances ?? [])],
    port: container?.ports?.[0]?.containerPort ?? 0,
    cpu: limits['cpu'] ?? '',
    memory: limits['memory'] ?? '',
    concurrency: concurrency ?? 0,
    timeoutSeconds: Number(template.timeout?.seconds ?? 0),
    maxInstances: template.scaling?.maxInstanceCount ?? 0,
    cpuBoost: container?.resources?.startupCpuBoost ?? false,
    serviceAccount: template.serviceAccount ?? '',
    labels: { ...template.labels },
  };
}

/** Top-level and container fields that Sluice keeps but does not own, named when they are set. */
const foreignTemplateFields = ['vpcAccess', 'encryptionKey', 'serviceMesh', 'nodeSelector'] as const;
// Without startupProbe: Cloud Run answers with its default one.
const foreignContainerFields = ['livenessProbe', 'readinessProbe', 'workingDir'] as const;

function foreignParts(template: RunTemplate): string[] {
  const own = ingressContainer(template.containers);
  const ownVolume = cloudSqlVolume(template);
  const others = (template.containers ?? []).filter((container) => container !== own);
  const volumes = (template.volumes ?? []).filter((volume) => volume !== ownVolume);
  return [
    ...others.map((container) => `container ${container.name}`),
    ...volumes.map((volume) => `volume ${volume.name}`),
    ...foreignTemplateFields.filter((field) => template[field]),
    ...foreignContainerFields.filter((field) => own?.[field]),
    ...(['command', 'args'] as const).filter((field) => (own?.[field] ?? []).length > 0),
  ];
}

function toTraffic(traffic: google.cloud.run.v2.ITrafficTarget[] | null | undefined): TrafficTarget[] {
  // No traffic block means all of it to the latest ready revision.
  if (!traffic || traffic.length === 0) return [{ revision: 'LATEST', percent: 100 }];
  return traffic.map(toTarget);
}

function toTarget(target: google.cloud.run.v2.ITrafficTarget): TrafficTarget {
  const revision = shortName(target.revision);
  return {
    revision: target.type === latest || revision === '' ? 'LATEST' : revision,
    percent: target.percent ?? 0,
    ...(target.tag ? { tag: target.tag } : {}),
  };
}

function toObserved(status: google.cloud.run.v2.ITrafficTargetStatus): ObservedTraffic {
  return { ...toTarget(status), ...(status.uri ? { uri: status.uri } : {}) };
}

function toConditions(condition: google.cloud.run.v2.ICondition | null | undefined): Condition[] {
  if (!condition) return [];
  const reasons = [condition.reason, condition.revisionReason, condition.executionReason];
  return [
    {
      type: condition.type ?? '',
      state: states[String(condition.state)] ?? 'unspecified',
      message: condition.message ?? '',
      reason: reasons.map((reason) => String(reason ?? '')).find(isReason) ?? '',
    },
  ];
}

function isReason(reason: string): boolean {
  return reason !== '' && !reason.endsWith('_UNDEFINED');
}

function readiness(conditions: readonly Condition[]): LiveRevision['ready'] {
  const state = conditions.find((condition) => condition.type === 'Ready')?.state;
  if (state === 'succeeded') return 'yes';
  return state === 'failed' ? 'no' : 'not-yet';
}

function toIsoTime(time: google.protobuf.ITimestamp | null | undefined): string {
  return time ? new Date(Number(time.seconds) * 1000 + (time.nanos ?? 0) / 1e6).toISOString() : '';
}
