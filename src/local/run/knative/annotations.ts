import { invalidField } from '../../grpc.ts';

/** How the text of an annotation stands for a value of the model. Undefined: it is not written. */
type Codec = { parse(text: string): unknown; format(value: unknown): string | undefined };

/** An annotation of Google's that stands for a field of the model (a path of keys). */
export type AnnotatedField = { annotation: string; field: string; codec: Codec };

const text: Codec = { parse: (value) => value, format: String };

/** What is no number stays as it is, for the model's schema to refuse. */
const count: Codec = {
  parse: (value) => (/^\d+$/.test(value) ? Number(value) : value),
  format: String,
};

export const flag: Codec = {
  parse: (value) => (/^(true|false)$/i.test(value) ? value.toLowerCase() === 'true' : value),
  format: (value) => (value === true ? 'true' : undefined),
};

const json: Codec = {
  parse(value) {
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  },
  format: (value) => JSON.stringify(value),
};

/** Texts by the model's values; an empty text is not written. */
function oneOf(texts: Readonly<Record<string, string>>): Codec {
  return {
    parse: (given) => Object.entries(texts).find(([, each]) => each === given)?.[0] ?? given,
    format: (value) => texts[String(value)] || undefined,
  };
}

const run = (name: string) => `run.googleapis.com/${name}`;

/** Of the service's metadata. */
export const serviceAnnotations: readonly AnnotatedField[] = [
  { annotation: run('client-name'), field: 'client', codec: text },
  { annotation: run('client-version'), field: 'clientVersion', codec: text },
  { annotation: run('description'), field: 'description', codec: text },
  {
    annotation: run('ingress'),
    field: 'ingress',
    codec: oneOf({
      INGRESS_TRAFFIC_ALL: 'all',
      INGRESS_TRAFFIC_INTERNAL_ONLY: 'internal',
      INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER: 'internal-and-cloud-load-balancing',
    }),
  },
  {
    annotation: run('launch-stage'),
    field: 'launchStage',
    codec: { ...text, format: (stage) => (stage === 'GA' ? undefined : String(stage)) },
  },
  { annotation: run('invoker-iam-disabled'), field: 'invokerIamDisabled', codec: flag },
  { annotation: run('minScale'), field: 'scaling.minInstanceCount', codec: count },
  { annotation: run('maxScale'), field: 'scaling.maxInstanceCount', codec: count },
  {
    annotation: run('scalingMode'),
    field: 'scaling.scalingMode',
    codec: oneOf({ AUTOMATIC: 'automatic', MANUAL: 'manual' }),
  },
  { annotation: run('build-name'), field: 'buildConfig.name', codec: text },
  { annotation: run('build-image-uri'), field: 'buildConfig.imageUri', codec: text },
  { annotation: run('build-source-location'), field: 'buildConfig.sourceLocation', codec: text },
  { annotation: run('build-function-target'), field: 'buildConfig.functionTarget', codec: text },
  { annotation: run('build-base-image'), field: 'buildConfig.baseImage', codec: text },
  {
    annotation: run('build-enable-automatic-updates'),
    field: 'buildConfig.enableAutomaticUpdates',
    codec: flag,
  },
  { annotation: run('build-worker-pool'), field: 'buildConfig.workerPool', codec: text },
  { annotation: run('build-service-account'), field: 'buildConfig.serviceAccount', codec: text },
  { annotation: run('build-environment-variables'), field: 'buildConfig.environmentVariables', codec: json },
];

/** Of the template's metadata, and so of a revision's. */
export const templateAnnotations: readonly AnnotatedField[] = [
  { annotation: 'autoscaling.knative.dev/minScale', field: 'scaling.minInstanceCount', codec: count },
  { annotation: 'autoscaling.knative.dev/maxScale', field: 'scaling.maxInstanceCount', codec: count },
  {
    annotation: run('execution-environment'),
    field: 'executionEnvironment',
    codec: oneOf({ EXECUTION_ENVIRONMENT_GEN1: 'gen1', EXECUTION_ENVIRONMENT_GEN2: 'gen2' }),
  },
  { annotation: run('sessionAffinity'), field: 'sessionAffinity', codec: flag },
];

/** Google writes these and forgets what is sent. */
export const serverAnnotations: ReadonlySet<string> = new Set([
  ...['serving.knative.dev/creator', 'serving.knative.dev/lastModifier'],
  ...['operation-id', 'urls', 'ingress-status', 'build-id'].map(run),
]);

/** Who made the template; a service says it once, for all its revisions. */
export const clientAnnotations: ReadonlySet<string> = new Set(['client-name', 'client-version'].map(run));

const reserved =
  /^([^/]*\.)?(run\.googleapis\.com|cloud\.googleapis\.com|serving\.knative\.dev|autoscaling\.knative\.dev)\//;

export type Fields = Record<string, unknown>;

/** The fields that annotations stand for, and those of the user's own. `where` leads to them in the object. */
export function readAnnotations(
  table: readonly AnnotatedField[],
  ignored: ReadonlySet<string>,
  given: Readonly<Record<string, string>>,
  where: string,
): { fields: Fields; annotations: Record<string, string> } {
  const fields: Fields = {};
  const annotations: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const known = table.find(({ annotation }) => annotation === name);
    if (known) setField(fields, known.field, known.codec.parse(value));
    else if (!reserved.test(name)) annotations[name] = value;
    else if (!ignored.has(name)) {
      throw invalidField(`${where}[${name}]`, 'the local cloud does not support this annotation.');
    }
  }
  return { fields, annotations };
}

export function writeAnnotations(table: readonly AnnotatedField[], fields: object): Record<string, string> {
  const entries = table.flatMap(({ annotation, field, codec }) => {
    const value = getField(fields, field);
    const written = value === undefined ? undefined : codec.format(value);
    return written === undefined ? [] : [[annotation, written] as const];
  });
  return Object.fromEntries(entries);
}

function setField(fields: Fields, path: string, value: unknown): void {
  const [head = '', ...rest] = path.split('.');
  if (rest.length === 0) {
    fields[head] = value;
    return;
  }
  const inner = fields[head];
  const next = isFields(inner) ? inner : {};
  fields[head] = next;
  setField(next, rest.join('.'), value);
}

function getField(fields: object, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (isFields(value) ? value[key] : undefined), fields);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
