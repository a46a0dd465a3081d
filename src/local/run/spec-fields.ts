import { status } from '@grpc/grpc-js';
import { type Spec, specSchema } from './schema.ts';
import { firstRefusal, formatPath, SpecError } from './spec-error.ts';

const outputOnly = [
  ...['uid', 'generation', 'createTime', 'updateTime', 'deleteTime', 'expireTime', 'creator', 'lastModifier'],
  ...['urls', 'observedGeneration', 'terminalCondition', 'conditions', 'latestReadyRevision'],
  ...[
    'latestCreatedRevision',
    'trafficStatuses',
    'uri',
    'satisfiesPzs',
    'threatDetectionEnabled',
    'reconciling',
  ],
];
const notSpec = new Set(['name', 'etag', ...outputOnly]);

/** A decoded `Service` without what only the server sets, and without values that mean "not set". */
export function specFields(message: object): Record<string, unknown> {
  const fields = Object.entries(message).filter(([key]) => !notSpec.has(key));
  return withoutUnset(Object.fromEntries(fields));
}

/** Clients send back what they read, defaults written out: '', 0, false, [] and zero enums are the same as absent. */
export function withoutUnset(fields: object): Record<string, unknown> {
  const kept = Object.entries(fields)
    .map(([key, inner]) => [key, maps.has(key) ? inner : prune(inner)] as const)
    .filter(([key, inner]) => !isUnset(key, inner));
  return Object.fromEntries(kept);
}

function prune(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(prune);
  return typeof value === 'object' && value !== null ? withoutUnset(value) : value;
}

/** In these the values are the user's own. */
const maps = new Set(['labels', 'annotations', 'limits', 'environmentVariables']);

/** In these a text is the user's own, whatever it looks like. */
const texts = new Set(['name', 'value', 'description']);

function isUnset(key: string, value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'string') return value === '' || (!texts.has(key) && value.endsWith('_UNSPECIFIED'));
  return value === 0 || value === false || value === null || value === undefined;
}

/** Throws the first refusal: UNIMPLEMENTED for a field that is not supported, INVALID_ARGUMENT for a wrong value. */
export function parseSpec(fields: Record<string, unknown>): Spec {
  const result = specSchema.safeParse(fields);
  if (result.success) return result.data;
  const refusal = firstRefusal(result.error);
  const isSidecar =
    result.error.issues[0]?.code === 'too_big' && formatPath(refusal.path) === 'template.containers';
  throw isSidecar ? new SpecError(refusal.path, refusal.problem, status.UNIMPLEMENTED) : refusal;
}
