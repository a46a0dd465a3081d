import { status } from '@grpc/grpc-js';
import { z } from 'zod';
import { RpcError } from '../../grpc.ts';
import { specSchema } from '../schema.ts';

type Fields = Record<string, unknown>;

/**
 * The fields after an update: with no mask, or `*`, what was sent; else what was stored with the masked paths taken
 * from what was sent, where an absent one clears. Paths are snake_case or camelCase; a map or a list is one path.
 */
export function applyMask(stored: Fields, sent: Fields, paths: readonly string[]): Fields {
  if (paths.length === 0 || paths.includes('*')) return sent;
  let result = stored;
  for (const path of paths) {
    const keys = path.split('.').map(camelCase);
    if (keys.length === 1 && (keys[0] === 'name' || keys[0] === 'etag')) continue;
    checkPath(path, keys, sent);
    result = setPath(result, sent, keys);
  }
  return result;
}

/** Whether an update with this mask writes the field (camelCase path). */
export function covers(paths: readonly string[], field: string): boolean {
  const written = paths.map(camelCase);
  return (
    written.length === 0 ||
    written.some((path) => path === '*' || path === field || field.startsWith(`${path}.`))
  );
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** An unknown path is an error, unless something was sent there: then the schema refuses that field by its name. */
function checkPath(path: string, keys: string[], sent: Fields): void {
  let schema: z.ZodType = specSchema;
  let value: unknown = sent;
  for (const key of keys) {
    const shape = unwrap(schema);
    const inner = shape instanceof z.ZodObject ? shape.shape[key] : undefined;
    value = isFields(value) ? value[key] : undefined;
    if (!inner && value !== undefined) return;
    if (!(inner instanceof z.ZodType)) {
      throw new RpcError(
        status.INVALID_ARGUMENT,
        `update_mask: '${path}' is not a field of a service that can be updated here.`,
      );
    }
    schema = inner;
  }
}

function unwrap(schema: z.ZodType): unknown {
  return schema instanceof z.ZodOptional ? schema.unwrap() : schema;
}

function setPath(target: Fields, source: Fields, [key = '', ...rest]: string[]): Fields {
  const { [key]: old, ...others } = target;
  const given = source[key];
  const value =
    rest.length === 0 ? given : setPath(isFields(old) ? old : {}, isFields(given) ? given : {}, rest);
  return value === undefined ? others : { ...others, [key]: value };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
