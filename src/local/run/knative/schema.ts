import { z } from 'zod';

/**
 * The Knative objects as the local cloud reads them. Source: run.googleapis.com/$discovery/rest?version=v1. What only
 * the server sets may come back and means nothing; every other field that is not named here is refused.
 */
const text = z.string();
const integer = z.int();
const serverSet = z.unknown().optional();

/** gcloud fills in what it knows of with empty messages, which say nothing. */
function message<Shape extends z.ZodRawShape>(shape: Shape) {
  const saysSomething = ([key, value]: [string, unknown]) => key in shape || !isEmpty(value);
  const known = (given: unknown) =>
    typeof given === 'object' && given !== null && !Array.isArray(given)
      ? Object.fromEntries(Object.entries(given).filter(saysSomething))
      : given;
  return z.preprocess(known, z.strictObject(shape));
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

const templateMetadata = {
  name: text.optional(),
  labels: z.record(text, text).optional(),
  annotations: z.record(text, text).optional(),
  creationTimestamp: serverSet,
};

const metadata = message({
  ...templateMetadata,
  namespace: text.optional(),
  resourceVersion: text.optional(),
  generation: serverSet,
  uid: serverSet,
  selfLink: serverSet,
});

const envVar = message({
  name: text,
  value: text.optional(),
  valueFrom: message({ secretKeyRef: message({ name: text, key: text }) }).optional(),
});

const probe = message({
  initialDelaySeconds: integer.optional(),
  timeoutSeconds: integer.optional(),
  periodSeconds: integer.optional(),
  failureThreshold: integer.optional(),
  httpGet: message({
    path: text.optional(),
    port: integer.optional(),
    httpHeaders: z.array(message({ name: text, value: text.optional() })).optional(),
  }).optional(),
  tcpSocket: message({ port: integer.optional() }).optional(),
});

const container = message({
  name: text.optional(),
  image: text.optional(),
  command: z.array(text).optional(),
  args: z.array(text).optional(),
  env: z.array(envVar).optional(),
  resources: message({ limits: z.record(text, text).optional() }).optional(),
  ports: z.array(message({ name: text.optional(), containerPort: integer.optional() })).optional(),
  volumeMounts: z.array(message({ name: text, mountPath: text })).optional(),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
});

const volume = message({
  name: text,
  secret: message({
    secretName: text,
    /** `key` is the secret's version. */
    items: z.array(message({ key: text, path: text, mode: integer.optional() })).optional(),
    defaultMode: integer.optional(),
  }).optional(),
  emptyDir: message({ medium: z.literal('Memory').optional(), sizeLimit: text.optional() }).optional(),
});

const template = message({
  metadata: message(templateMetadata).optional(),
  spec: message({
    containerConcurrency: integer.optional(),
    timeoutSeconds: integer.optional(),
    serviceAccountName: text.optional(),
    containers: z.array(container).optional(),
    volumes: z.array(volume).optional(),
  }).optional(),
});

const trafficTarget = message({
  latestRevision: z.boolean().optional(),
  revisionName: text.optional(),
  percent: integer.optional(),
  tag: text.optional(),
  url: serverSet,
});

export const knativeServiceSchema = message({
  apiVersion: z.literal('serving.knative.dev/v1', 'must be serving.knative.dev/v1').optional(),
  kind: z.literal('Service', 'must be Service').optional(),
  metadata: metadata.optional(),
  spec: message({ template: template.optional(), traffic: z.array(trafficTarget).optional() }).optional(),
  status: serverSet,
});

export type KnativeService = z.infer<typeof knativeServiceSchema>;
export type KnativeTemplate = z.infer<typeof template>;
export type KnativeContainer = z.infer<typeof container>;
export type KnativeVolume = z.infer<typeof volume>;
export type KnativeTarget = z.infer<typeof trafficTarget>;
