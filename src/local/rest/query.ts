import type { Field, Type } from 'protobufjs';
import { invalidField } from '../grpc.ts';
import { fieldOf, toCamelCase } from './json.ts';

/** Parameters of every Google API; they say nothing of the request. Source: cloud.google.com/apis/docs/system-parameters. */
const systemParameters = new Set([
  ...['alt', '$alt', 'prettyPrint', '$prettyPrint', 'key', 'quotaUser', '$.xgafv', 'access_token'],
  ...['oauth_token', 'uploadType', 'upload_protocol', 'trace', '$trace', '$userProject'],
]);

/** A URL's parameters as JSON of the request: `a.b=c` is a field of a field, a repeated field stands several times. */
export function queryJson(type: Type, query: URLSearchParams): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const name of new Set(query.keys())) {
    if (!systemParameters.has(name)) setPath(json, camelPath(name), jsonOf(type, name, query.getAll(name)));
  }
  return json;
}

function camelPath(name: string): string[] {
  return name.split('.').map(toCamelCase);
}

/** Text as the JSON of its field: only booleans and repeated fields are anything else. */
function jsonOf(type: Type, name: string, values: string[]): unknown {
  let current: Type | undefined = type;
  const path = camelPath(name);
  for (const [index, part] of path.entries()) {
    const field: Field | undefined = current && fieldOf(current, part)?.resolve();
    if (!field) {
      throw invalidField(
        name,
        `Invalid JSON payload received. Unknown name "${name}": Cannot bind query parameter.`,
      );
    }
    if (index === path.length - 1) {
      const texts = values.map((text) => (field.type === 'bool' ? text === 'true' : text));
      return field.repeated ? texts : texts.at(-1);
    }
    current = field.resolvedType && 'fields' in field.resolvedType ? field.resolvedType : undefined;
  }
  return values.at(-1);
}

/** Sets a field of a field of `json`, making what is missing on the way. */
export function setPath(json: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head = '', ...rest] = path;
  if (rest.length === 0) {
    json[head] = value;
    return;
  }
  const inner = json[head];
  const next = typeof inner === 'object' && inner !== null ? { ...inner } : {};
  json[head] = next;
  setPath(next, rest, value);
}
