import { z } from 'zod';

/**
 * What the local cloud supports of a service, in the shape in which gRPC delivers it. It is an allow-list: a field
 * that is set and not named here is refused, because a service that ignored it would behave otherwise at Google.
 */
const text = z.string();
const count = z.int().min(0);
const duration = z.strictObject({ seconds: text.optional(), nanos: z.int().optional() });
const quantity = z
  .string()
  .regex(/^\d+(\.\d+)?(m|k|M|G|Ki|Mi|Gi)?$/, 'is not a quantity such as 500m, 1 or 512Mi');

/** Labels and annotations that belong to the platform. Source: the field comments of service.proto. */
const reserved =
  /^([^/]*\.)?(run\.googleapis\.com|cloud\.googleapis\.com|serving\.knative\.dev|autoscaling\.knative\.dev)\//;
const keys = (what: string) =>
  z.record(text, text).check((context) => {
    for (const key of Object.keys(context.value).filter((name) => reserved.test(name))) {
      context.issues.push({
        code: 'custom',
        input: key,
        message: `The ${what} '${key}' uses a namespace that is reserved: run.googleapis.com, cloud.googleapis.com, serving.knative.dev and autoscaling.knative.dev are not supported by the Cloud Run Admin API v2.`,
      });
    }
  });
const labelValue = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;
/** Kubernetes clients put their domain before the name, such as `client.knative.dev/nonce`. */
const labelKey = /^([a-z0-9.-]{1,253}\/)?[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;
const labels = keys('label').refine(
  (value) =>
    Object.entries(value).every(([key, text]) => labelKey.test(key) && labelValue.test(text)) &&
    Object.keys(value).length <= 64,
  'at most 64 labels of lowercase letters, digits, _ and -, none longer than 63 characters',
);
const annotations = keys('annotation').refine(
  (value) => Object.entries(value).flat().join('').length <= 256 * 1024,
  'annotations are limited to 256 KiB',
);

const platformEnv = new Set(['PORT', 'K_SERVICE', 'K_REVISION', 'K_CONFIGURATION']);
/** What a process can be given. */
const argument = text.regex(/^[^\0]*$/, 'must not hold a NUL character');
const envName = z
  .string('must be set')
  .regex(/^[^=\0]+$/, 'must not hold = or NUL')
  .regex(/^(?!X_GOOGLE_)/, 'must not begin with X_GOOGLE_');
/** Of the service's own project, or `projects/P/secrets/S`. */
const secretName = text.regex(
  /^(projects\/[^/]+\/secrets\/)?[a-zA-Z0-9_-]{1,255}$/,
  'is not the name of a secret, such as api-key or projects/P/secrets/api-key',
);
const secretVersion = text.regex(/^(latest|\d+|[a-zA-Z][\w-]*)$/, 'is not a version, such as latest or 3');
const secretKeyRef = z.strictObject({ secret: secretName, version: secretVersion.optional() });
const envVar = z
  .strictObject({
    name: envName,
    value: argument.optional(),
    valueSource: z.strictObject({ secretKeyRef }).optional(),
  })
  .refine(({ value, valueSource }) => value === undefined || !valueSource, 'has a value and a value source');
const env = z.array(envVar).check((context) => {
  const names = context.value.map(({ name }) => name);
  const given = names.filter((name) => platformEnv.has(name));
  if (given.length > 0) {
    context.issues.push({
      code: 'custom',
      input: given,
      message: `The following reserved env names were provided: ${given.join(', ')}. These values are automatically set by the system.`,
    });
  }
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  if (repeated.length > 0) {
    context.issues.push({
      code: 'custom',
      input: repeated,
      message: `duplicate names: ${repeated.join(', ')}`,
    });
  }
});

const probePort = z.int().min(1).max(65_535).optional();
const httpGet = z.strictObject({
  path: text.optional(),
  httpHeaders: z.array(z.strictObject({ name: text, value: text.optional() })).optional(),
  port: probePort,
});
const probeTimes = (longest: number) => ({
  initialDelaySeconds: count.max(longest).optional(),
  timeoutSeconds: count.max(longest).optional(),
  periodSeconds: count.max(longest).optional(),
  failureThreshold: count.optional(),
});
const notLongerThanPeriod = ({ timeoutSeconds = 1, periodSeconds = 10 }) => timeoutSeconds <= periodSeconds;
const timeoutTooLong = 'timeout_seconds must be no greater than period_seconds';
const startupProbe = z
  .strictObject({
    ...probeTimes(240),
    httpGet: httpGet.optional(),
    tcpSocket: z.strictObject({ port: probePort }).optional(),
  })
  .refine(
    ({ httpGet, tcpSocket }) => !httpGet || !tcpSocket,
    'must have exactly one of http_get, tcp_socket and grpc',
  )
  .refine(notLongerThanPeriod, timeoutTooLong);
/** Cloud Run probes liveness by HTTP and gRPC only. */
const livenessProbe = z
  .strictObject({ ...probeTimes(3600), httpGet: z.optional(httpGet) })
  .refine((probe) => probe.httpGet, 'must have http_get')
  .refine(notLongerThanPeriod, timeoutTooLong);

const fileMode = z.int().min(0).max(0o777).optional();
/** No control characters: no path needs them, and a line break hides what follows from a pattern's dot. */
const pathText = /^\P{Cc}{1,512}$/u;
const staysWithin = (path: string) =>
  pathText.test(path) && !path.split('/').some((segment) => segment === '.' || segment === '..');
/** Within a volume: no absolute path, and none that leaves it. */
const relativePath = text.refine(
  (path) => !path.startsWith('/') && staysWithin(path),
  'must be a path within the volume',
);
const volumeName = z
  .string('must be set')
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'is not a volume name');
const secretVolume = z.strictObject({
  secret: secretName,
  items: z
    .array(z.strictObject({ path: relativePath, version: secretVersion.optional(), mode: fileMode }))
    .optional(),
  defaultMode: fileMode,
});
const emptyDir = z.strictObject({ medium: z.literal('MEMORY').optional(), sizeLimit: quantity.optional() });
const sqlInstanceName =
  /^(?=.{1,97}$)[a-zA-Z0-9-]+([.:][a-zA-Z0-9-]+)*:[a-zA-Z0-9-]+:[a-z]([a-z0-9-]*[a-z0-9])?$/;
const cloudSqlInstance = z.strictObject({
  instances: z.array(text).check(({ value, issues }) => {
    const wrong = value.filter((name) => !sqlInstanceName.test(name));
    if (wrong.length === 0) return;
    const names = wrong.map((name) => `'${name}'`).join(', ');
    issues.push({
      code: 'custom',
      input: wrong,
      message: `Invalid cloud sql instance names: [${names}]. Instance names must be 97 characters or less, matching [a-zA-Z0-9-]{1,}:[a-zA-Z0-9-]{1,}:[a-z][a-z0-9-]{0,}, and cannot end in an hyphen`,
    });
  }),
});
const volume = z
  .strictObject({
    name: volumeName,
    secret: secretVolume.optional(),
    emptyDir: emptyDir.optional(),
    cloudSqlInstance: cloudSqlInstance.optional(),
  })
  .refine(({ name: _, ...sources }) => Object.keys(sources).length === 1, 'must have exactly one source');

const reservedMount = /^\/+((dev|proc|sys)(\/|$)|$)/;
const mountPath = z
  .string()
  .refine((path) => path.startsWith('/') && staysWithin(path), 'must be an absolute path without . and ..')
  .refine((path) => !reservedMount.test(path), 'must be none of /, /dev, /proc and /sys, nor within them');
const volumeMounts = z.array(z.strictObject({ name: volumeName, mountPath: mountPath.optional() }));

const container = z.strictObject({
  name: text.optional(),
  image: z.string('must be set').max(512),
  command: z.array(argument).optional(),
  args: z.array(argument).optional(),
  env: env.optional(),
  resources: z
    .strictObject({
      limits: z.strictObject({ cpu: quantity.optional(), memory: quantity.optional() }).optional(),
      cpuIdle: z.boolean().optional(),
      startupCpuBoost: z.boolean().optional(),
    })
    .optional(),
  ports: z
    .array(
      z.strictObject({
        name: z.literal('http1', 'the local cloud serves HTTP/1 (http1) only').optional(),
        containerPort: z.int().min(1).max(65_535).optional(),
      }),
    )
    .max(1, 'a container has one port')
    .optional(),
  volumeMounts: volumeMounts.optional(),
  startupProbe: startupProbe.optional(),
  livenessProbe: livenessProbe.optional(),
});

/** Cloud Run's default. */
export const defaultMaxInstances = 100;

const template = z.strictObject(
  {
    revision: text.optional(),
    labels: labels.optional(),
    annotations: annotations.optional(),
    scaling: z
      .strictObject({ minInstanceCount: count.optional(), maxInstanceCount: count.optional() })
      .refine(
        ({ minInstanceCount = 0, maxInstanceCount = defaultMaxInstances }) =>
          minInstanceCount <= maxInstanceCount,
        'min_instance_count must be no greater than max_instance_count',
      )
      .optional(),
    timeout: duration
      .refine(
        ({ seconds = '0' }) => Number(seconds) >= 0 && Number(seconds) <= 3600,
        'must be at most 3600 s',
      )
      .optional(),
    serviceAccount: text.optional(),
    containers: z
      .array(container, 'must be set')
      .min(1, 'must have one container')
      .max(1, 'the local cloud runs one container: sidecars are not supported'),
    volumes: z.array(volume).optional(),
    sessionAffinity: z.boolean().optional(),
    executionEnvironment: z.enum(['EXECUTION_ENVIRONMENT_GEN1', 'EXECUTION_ENVIRONMENT_GEN2']).optional(),
    maxInstanceRequestConcurrency: count.max(1000).optional(),
  },
  'must be set',
);

const trafficTarget = z.strictObject({
  type: z
    .enum(['TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION'])
    .optional(),
  revision: text.optional(),
  percent: count.max(100).optional(),
  tag: text.optional(),
});

/** How the image was built from source: noted, and of no effect. */
const buildConfig = z.strictObject({
  name: text.optional(),
  imageUri: text.optional(),
  sourceLocation: text.optional(),
  functionTarget: text.optional(),
  baseImage: text.optional(),
  enableAutomaticUpdates: z.literal(false, 'the local cloud updates no base images').optional(),
  workerPool: text.optional(),
  serviceAccount: text.optional(),
  environmentVariables: z.record(text, text).optional(),
});

/** What a client may set, without name and etag, which say which service is meant and in which version. */
export const specSchema = z.strictObject({
  description: z.string().max(512).optional(),
  labels: labels.optional(),
  annotations: annotations.optional(),
  client: text.optional(),
  clientVersion: text.optional(),
  ingress: z
    .enum(['INGRESS_TRAFFIC_ALL', 'INGRESS_TRAFFIC_INTERNAL_ONLY', 'INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER'])
    .optional(),
  launchStage: z.enum(['GA', 'BETA', 'ALPHA']).optional(),
  template,
  traffic: z.array(trafficTarget).optional(),
  scaling: z
    .strictObject({ minInstanceCount: count.optional(), scalingMode: z.literal('AUTOMATIC').optional() })
    .optional(),
  invokerIamDisabled: z.boolean().optional(),
  buildConfig: buildConfig.optional(),
});

export type Spec = z.infer<typeof specSchema>;
export type Template = Spec['template'];
export type Container = Template['containers'][number];
export type Volume = NonNullable<Template['volumes']>[number];
export type TrafficTarget = z.infer<typeof trafficTarget>;
