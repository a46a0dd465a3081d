import { status } from '@grpc/grpc-js';
import type { Context } from 'hono';
import { z } from 'zod';
import { RpcError } from '../grpc.ts';

/** The JSON body of a request, checked; what is wrong with it is INVALID_ARGUMENT and names the field. */
export async function readBody<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(parseJson(await c.req.text()));
  if (parsed.success) return parsed.data;
  throw new RpcError(status.INVALID_ARGUMENT, z.prettifyError(parsed.error));
}

/** The JSON body of a request, which must be an object. */
export function readObject(c: Context): Promise<Record<string, unknown>> {
  return readBody(c, objectSchema);
}

const objectSchema = z.record(z.string(), z.unknown());

function parseJson(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RpcError(status.INVALID_ARGUMENT, `Invalid JSON payload received. ${why}`);
  }
}
