import { withoutUnset } from '../spec-fields.ts';
import {
  clientAnnotations,
  type Fields,
  flag,
  readAnnotations,
  serverAnnotations,
  serviceAnnotations,
  templateAnnotations,
} from './annotations.ts';
import type {
  KnativeContainer,
  KnativeService,
  KnativeTarget,
  KnativeTemplate,
  KnativeVolume,
} from './schema.ts';

/** Google writes these labels itself; gcloud's `--labels` copies a service's to its template. */
export const locationLabel = 'cloud.googleapis.com/location';
export const probeTypeLabel = 'run.googleapis.com/startupProbeType';

export const cpuThrottling = 'run.googleapis.com/cpu-throttling';
export const cpuBoost = 'run.googleapis.com/startup-cpu-boost';
export const cloudSqlInstances = 'run.googleapis.com/cloudsql-instances';

/** The volume that stands for the Cloud SQL annotation, and where its sockets are. */
const cloudSqlVolume = { name: 'cloudsql', mountPath: '/cloudsql' } as const;

/** A Knative Service as the fields of the model's spec, which the model then checks. */
export function fromKnative(service: KnativeService): Fields {
  return withoutUnset(fieldsOf(service));
}

function fieldsOf({ metadata = {}, spec = {} }: KnativeService): Fields {
  const { fields, annotations } = readAnnotations(
    serviceAnnotations,
    serverAnnotations,
    metadata.annotations ?? {},
    'metadata.annotations',
  );
  return {
    ...fields,
    annotations: unlessEmpty(annotations),
    labels: unlessEmpty(ownLabels(metadata.labels)),
    template: spec.template && fromTemplate(spec.template),
    traffic: spec.traffic?.map(fromTarget),
  };
}

function fromTemplate({ metadata = {}, spec = {} }: KnativeTemplate): Fields {
  const {
    [cpuThrottling]: throttling = 'true',
    [cpuBoost]: boost = 'false',
    [cloudSqlInstances]: instances,
    ...others
  } = metadata.annotations ?? {};
  const { fields, annotations } = readAnnotations(
    templateAnnotations,
    clientAnnotations,
    others,
    'spec.template.metadata.annotations',
  );
  const cpu = { cpuIdle: flag.parse(throttling), startupCpuBoost: flag.parse(boost) };
  const hasSql = instances !== undefined && instances !== '';
  return {
    ...fields,
    annotations: unlessEmpty(annotations),
    labels: unlessEmpty(ownLabels(metadata.labels)),
    revision: metadata.name,
    maxInstanceRequestConcurrency: spec.containerConcurrency,
    timeout: spec.timeoutSeconds === undefined ? undefined : { seconds: String(spec.timeoutSeconds) },
    serviceAccount: spec.serviceAccountName,
    containers: spec.containers?.map((container) => fromContainer(container, cpu, hasSql)),
    volumes: [
      ...(spec.volumes ?? []).map(fromVolume),
      ...(hasSql
        ? [{ name: cloudSqlVolume.name, cloudSqlInstance: { instances: instances.split(',') } }]
        : []),
    ],
  };
}

function fromContainer(container: KnativeContainer, cpu: Fields, hasSql: boolean): Fields {
  const { env, resources, volumeMounts = [], ...same } = container;
  return {
    ...same,
    env: env?.map(({ valueFrom, ...variable }) => ({
      ...variable,
      valueSource: valueFrom && {
        secretKeyRef: { secret: valueFrom.secretKeyRef.name, version: valueFrom.secretKeyRef.key },
      },
    })),
    resources: { limits: resources?.limits, ...cpu },
    volumeMounts: hasSql ? [...volumeMounts, cloudSqlVolume] : volumeMounts,
  };
}

function fromVolume({ name, secret, emptyDir }: KnativeVolume): Fields {
  return {
    name,
    secret: secret && {
      secret: secret.secretName,
      items: secret.items?.map(({ key, path, mode }) => ({ path, version: key, mode })),
      defaultMode: secret.defaultMode,
    },
    emptyDir: emptyDir && { medium: emptyDir.medium && 'MEMORY', sizeLimit: emptyDir.sizeLimit },
  };
}

function fromTarget({ latestRevision, revisionName, percent, tag }: KnativeTarget): Fields {
  const isNamed = revisionName !== undefined && revisionName !== '' && !latestRevision;
  return {
    type: isNamed ? 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION' : 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST',
    revision: revisionName,
    percent,
    tag,
  };
}

function ownLabels(labels: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { [locationLabel]: _, [probeTypeLabel]: __, ...own } = labels;
  return own;
}

function unlessEmpty(map: Record<string, string>): Record<string, string> | undefined {
  return Object.keys(map).length > 0 ? map : undefined;
}
