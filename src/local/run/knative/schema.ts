import { z } from 'zod';

/**
 * The Knative objects as the local cloud reads them. Source: run.googleapis.com/$discovery/rest?version=v1. What only
 * the server sets may come back and means nothing; every other field that is not named here is refused.
 */
const text = z.string();
const integer = z.int();
const serverSet = z.unknown().optional();

const metadata = z.strictObject({
  name: text.optional(),
  namespace: text.optional(),
  labels: z.record(text, text).optional(),
  annotations: z.record(text, text).optional(),
  resourceVersion: text.optional(),
  generation: serverSet,
  uid: serverSet,
  selfLink: serverSet,
  creationTimestamp: serverSet,
});

const templateMetadata = metadata.pick({
  name: true,
  labels: true,
  annotations: true,
  creationTimestamp: true,
});

const envVar = z.strictObject({
  name: text,
  value: text.optional(),
  valueFrom: z.strictObject({ secretKeyRef: z.strictObject({ name: text, key: text }) }).optional(),
});

const probe = z.strictObject({
  initialDelaySeconds: integer.optional(),
  timeoutSeconds: integer.optional(),
  periodSeconds: integer.optional(),
  failureThreshold: integer.optional(),
  httpGet: z
    .strictObject({
      path: text.optional(),
      port: integer.optional(),
      httpHeaders: z.array(z.strictObject({ name: text, value: text.optional() })).optional(),
    })
    .optional(),
  tcpSocket: z.strictObject({ port: integer.optional() }).optional(),
});

const container = z.strictObject({
  name: text.optional(),
  image: text.optional(),
  command: z.array(text).optional(),
  args: z.array(text).optional(),
  env: z.array(envVar).optional(),
  resources: z.strictObject({ limits: z.record(text, text).optional() }).optional(),
  ports: z.array(z.strictObject({ name: text.optional(), containerPort: integer.optional() })).optional(),
  volumeMounts: z.array(z.strictObject({ name: text, mountPath: text })).optional(),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
});

const volume = z.strictObject({
  name: text,
  secret: z
    .strictObject({
      secretName: text,
      /** `key` is the secret's version. */
      items: z.array(z.strictObject({ key: text, path: text, mode: integer.optional() })).optional(),
      defaultMode: integer.optional(),
    })
    .optional(),
  emptyDir: z.strictObject({ medium: z.literal('Memory').optional(), sizeLimit: text.optional() }).optional(),
});

const template = z.strictObject({
  metadata: templateMetadata.optional(),
  spec: z
    .strictObject({
      containerConcurrency: integer.optional(),
      timeoutSeconds: integer.optional(),
      serviceAccountName: text.optional(),
      containers: z.array(container).optional(),
      volumes: z.array(volume).optional(),
    })
    .optional(),
});

const trafficTarget = z.strictObject({
  latestRevision: z.boolean().optional(),
  revisionName: text.optional(),
  percent: integer.optional(),
  tag: text.optional(),
  url: serverSet,
});

export const knativeServiceSchema = z.strictObject({
  apiVersion: z.literal('serving.knative.dev/v1', 'must be serving.knative.dev/v1').optional(),
  kind: z.literal('Service', 'must be Service').optional(),
  metadata: metadata.optional(),
  spec: z
    .strictObject({ template: template.optional(), traffic: z.array(trafficTarget).optional() })
    .optional(),
  status: serverSet,
});

export type KnativeService = z.infer<typeof knativeServiceSchema>;
export type KnativeTemplate = z.infer<typeof template>;
export type KnativeContainer = z.infer<typeof container>;
export type KnativeVolume = z.infer<typeof volume>;
export type KnativeTarget = z.infer<typeof trafficTarget>;
