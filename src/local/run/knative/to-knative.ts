import type { Container, Spec, Template, TrafficTarget } from '../schema.ts';
import { isDefaultProbe } from '../template.ts';
import { serviceAnnotations, templateAnnotations, writeAnnotations } from './annotations.ts';
import { cloudSqlInstances, cpuBoost, cpuThrottling, probeTypeLabel } from './from-knative.ts';
import type { KnativeContainer, KnativeTarget, KnativeTemplate, KnativeVolume } from './schema.ts';

type Volume = NonNullable<Template['volumes']>[number];

/** The annotations of a service's metadata that its spec says. */
export function annotationsOf(spec: Spec): Record<string, string> {
  const buildId = spec.buildConfig?.name?.split('/').at(-1);
  return {
    ...spec.annotations,
    ...writeAnnotations(serviceAnnotations, spec),
    ...(buildId && { 'run.googleapis.com/build-id': buildId }),
  };
}

/** A template as Knative has it: in a service's spec, and as the metadata and spec of a revision. */
export function toTemplate(template: Template): KnativeTemplate {
  const { containers, volumes = [] } = template;
  const [container] = containers;
  const metadata = {
    ...(template.revision && { name: template.revision }),
    labels: {
      ...template.labels,
      [probeTypeLabel]: isDefaultProbe(container?.startupProbe) ? 'Default' : 'Custom',
    },
    annotations: templateAnnotationsOf(template, container),
  };
  const ownVolumes = volumes.filter((volume) => !volume.cloudSqlInstance);
  return {
    metadata,
    spec: {
      containerConcurrency: template.maxInstanceRequestConcurrency,
      timeoutSeconds: Number(template.timeout?.seconds ?? 0),
      serviceAccountName: template.serviceAccount,
      containers: containers.map((each) => toContainer(each, volumes)),
      ...(ownVolumes.length > 0 && { volumes: ownVolumes.map(toVolume) }),
    },
  };
}

function templateAnnotationsOf(template: Template, container: Container | undefined): Record<string, string> {
  const { volumes = [] } = template;
  const instances = volumes.flatMap(({ cloudSqlInstance }) => cloudSqlInstance?.instances ?? []);
  return {
    ...template.annotations,
    ...writeAnnotations(templateAnnotations, template),
    ...(container?.resources?.cpuIdle ? {} : { [cpuThrottling]: 'false' }),
    ...(container?.resources?.startupCpuBoost && { [cpuBoost]: 'true' }),
    ...(instances.length > 0 && { [cloudSqlInstances]: instances.join(',') }),
  };
}

function toContainer(container: Container, volumes: readonly Volume[]): KnativeContainer {
  const { env = [], resources, volumeMounts = [], ...same } = container;
  const { cpu, memory } = resources?.limits ?? {};
  const sql = new Set(volumes.filter((volume) => volume.cloudSqlInstance).map(({ name }) => name));
  const mounts = volumeMounts.flatMap(({ name, mountPath }) =>
    mountPath && !sql.has(name) ? [{ name, mountPath }] : [],
  );
  return {
    ...same,
    ...(env.length > 0 && { env: env.map(toVariable) }),
    resources: { limits: { ...(cpu && { cpu }), ...(memory && { memory }) } },
    ...(mounts.length > 0 && { volumeMounts: mounts }),
  };
}

type Variable = {
  name: string;
  value?: string | undefined;
  valueSource?: { secretKeyRef: { secret: string; version?: string | undefined } } | undefined;
};

function toVariable({ name, value, valueSource }: Variable): NonNullable<KnativeContainer['env']>[number] {
  if (!valueSource) return { name, value: value ?? '' };
  const { secret, version = 'latest' } = valueSource.secretKeyRef;
  return { name, valueFrom: { secretKeyRef: { name: secret, key: version } } };
}

function toVolume({ name, secret, emptyDir }: Volume): KnativeVolume {
  return {
    name,
    ...(secret && {
      secret: {
        secretName: secret.secret,
        ...(secret.items && {
          items: secret.items.map(({ path, version = 'latest', mode }) => ({
            key: version,
            path,
            ...(mode !== undefined && { mode }),
          })),
        }),
        ...(secret.defaultMode !== undefined && { defaultMode: secret.defaultMode }),
      },
    }),
    ...(emptyDir && {
      emptyDir: {
        ...(emptyDir.medium && { medium: 'Memory' as const }),
        ...(emptyDir.sizeLimit && { sizeLimit: emptyDir.sizeLimit }),
      },
    }),
  };
}

/** A target of the desired traffic; one of the actual names its revision too. */
export function toTarget({ type, revision, percent, tag }: TrafficTarget): KnativeTarget {
  return {
    ...(type === 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST' && { latestRevision: true }),
    ...(revision && { revisionName: revision }),
    ...(percent && { percent }),
    ...(tag && { tag }),
  };
}
