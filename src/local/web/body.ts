import { status } from '@grpc/grpc-js';
import type { Context } from 'hono';
import { z } from 'zod';
import { RpcError } from '../grpc.ts';
import { parseJson } from './json.ts';

/** A body with a thousand unknown fields is not answered with all of them. */
const maxSaid = 2000;

/** The JSON body of a request, checked; what is wrong with it is INVALID_ARGUMENT and names the field. */
export async function readBody<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(parseJson(new Uint8Array(await c.req.arrayBuffer())));
  if (parsed.success) return parsed.data;
  throw new RpcError(status.INVALID_ARGUMENT, z.prettifyError(parsed.error).slice(0, maxSaid));
}

/** The JSON body of a request, which must be an object. */
export function readObject(c: Context): Promise<Record<string, unknown>> {
  return readBody(c, objectSchema);
}

const objectSchema = z.record(z.string(), z.unknown());
