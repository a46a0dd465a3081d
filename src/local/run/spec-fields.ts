import { status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';
import { type Spec, specSchema } from './schema.ts';

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
  const pruned = Object.entries(message).filter(([key]) => !notSpec.has(key));
  return prune(Object.fromEntries(pruned)) as Record<string, unknown>; // An object stays an object.
}

/** Clients send back what they read, defaults written out: '', 0, false, [] and zero enums are the same as absent. */
function prune(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(prune);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value)
    .map(([key, inner]) => [key, maps.has(key) ? inner : prune(inner)] as const)
    .filter(([key, inner]) => !isUnset(key, inner));
  return Object.fromEntries(kept);
}

/** In these the values are the user's own. */
const maps = new Set(['labels', 'annotations', 'limits']);

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
  const { issues } = result.error;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const path = formatPath(issue?.path ?? []);
  if (issue?.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => (path ? `${path}.${key}` : key)).join(', ');
    throw new RpcError(status.UNIMPLEMENTED, `${names}: the local cloud does not support this field.`);
  }
  const code =
    issue?.code === 'too_big' && path === 'template.containers' ? 'UNIMPLEMENTED' : 'INVALID_ARGUMENT';
  throw new RpcError(status[code], `${path}: ${issue?.message ?? 'is not valid'}`);
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (all, part) =>
      typeof part === 'number' ? `${all}[${part}]` : all ? `${all}.${String(part)}` : String(part),
    '',
  );
}
