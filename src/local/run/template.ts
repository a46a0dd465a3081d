import type { LocalImage, Probe, RunnableRevision } from '../contracts.ts';
import type { ServiceName } from './names.ts';
import { cpuOf } from './resources.ts';
import { type Container, defaultMaxInstances, type Template } from './schema.ts';
import { secretRef } from './secrets.ts';
import { mountedVolumes } from './volumes.ts';

/** Cloud Run's defaults written out, as its API shows them. Applying them twice changes nothing. */
export function withDefaults(template: Template, service: ServiceName): Template {
  const [container] = template.containers;
  return {
    ...template,
    scaling: { maxInstanceCount: defaultMaxInstances, ...template.scaling },
    timeout: template.timeout ?? { seconds: '300' },
    serviceAccount: template.serviceAccount ?? `default@${service.project}.iam.gserviceaccount.com`,
    maxInstanceRequestConcurrency: template.maxInstanceRequestConcurrency ?? (cpuOf(container) < 1 ? 1 : 80),
    containers: container ? [containerDefaults(container)] : [],
  };
}

function containerDefaults(container: Container): Container {
  const port = container.ports?.[0]?.containerPort ?? 8080;
  const { limits, ...resources } = container.resources ?? { cpuIdle: true, startupCpuBoost: true };
  return {
    ...container,
    resources: { ...resources, limits: { cpu: '1000m', memory: '512Mi', ...limits } },
    ports: [{ name: 'http1', containerPort: port }],
    startupProbe: container.startupProbe
      ? probeDefaults(container.startupProbe, port)
      : { timeoutSeconds: 240, periodSeconds: 240, failureThreshold: 1, tcpSocket: { port } },
    ...(container.livenessProbe && { livenessProbe: probeDefaults(container.livenessProbe, port) }),
  };
}

type TemplateProbe = NonNullable<Container['startupProbe']>;

function probeDefaults({ httpGet, tcpSocket, ...times }: TemplateProbe, port: number): TemplateProbe {
  return {
    timeoutSeconds: 1,
    periodSeconds: 10,
    failureThreshold: 3,
    ...times,
    ...(httpGet ? { httpGet: { path: '/', port, ...httpGet } } : { tcpSocket: { port, ...tcpSocket } }),
  };
}

/** What the runtime starts. `template` has its defaults. */
export function toRunnable(
  { project, location, service }: ServiceName,
  revision: string,
  template: Template,
  image: LocalImage,
): RunnableRevision {
  const [container] = template.containers;
  if (!container) throw new Error(`${revision} has no container`);
  const variables = container.env ?? [];
  return {
    ...{ project, location, service },
    revision,
    image,
    containerName: container.name ?? `${service}-1`,
    command: container.command ?? [],
    args: container.args ?? [],
    env: Object.fromEntries(variables.map(({ name: key, value = '' }) => [key, value])),
    secretEnv: Object.fromEntries(
      variables.flatMap(({ name: key, valueSource }) => {
        const { secret, version } = valueSource?.secretKeyRef ?? {};
        return secret ? [[key, secretRef(project, secret, version)]] : [];
      }),
    ),
    volumes: mountedVolumes(project, template),
    port: container.ports?.[0]?.containerPort ?? 8080,
    startupProbe: toProbe(container.startupProbe ?? {}),
    ...(container.livenessProbe && { livenessProbe: toProbe(container.livenessProbe) }),
    concurrency: template.maxInstanceRequestConcurrency ?? 80,
    timeoutSeconds: Number(template.timeout?.seconds ?? 0) + (template.timeout?.nanos ?? 0) / 1e9,
    maxInstances: template.scaling?.maxInstanceCount ?? defaultMaxInstances,
    minInstances: template.scaling?.minInstanceCount ?? 0,
    sessionAffinity: template.sessionAffinity ?? false,
  };
}

/** The probe of a container that names none. */
export function isDefaultProbe({ httpGet, periodSeconds, timeoutSeconds }: TemplateProbe = {}): boolean {
  return !httpGet && periodSeconds === defaultPeriodSeconds && timeoutSeconds === defaultPeriodSeconds;
}

const defaultPeriodSeconds = 240;

function toProbe(probe: TemplateProbe): Probe {
  const { httpGet, tcpSocket } = probe;
  return {
    kind: httpGet ? 'http' : isDefaultProbe(probe) ? 'default' : 'tcp',
    path: httpGet?.path ?? '/',
    port: httpGet?.port ?? tcpSocket?.port ?? 8080,
    httpHeaders: (httpGet?.httpHeaders ?? []).map(({ name, value = '' }) => ({ name, value })),
    initialDelaySeconds: probe.initialDelaySeconds ?? 0,
    periodSeconds: probe.periodSeconds ?? 10,
    timeoutSeconds: probe.timeoutSeconds ?? 1,
    failureThreshold: probe.failureThreshold ?? 3,
  };
}
