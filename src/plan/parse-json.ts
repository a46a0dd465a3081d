import type { z } from 'zod';

/** A mark's JSON, or undefined: what anybody may have written parses or counts as absent. */
export function parseJson<S extends z.ZodType>(schema: S, text: string | undefined): z.infer<S> | undefined {
  if (!text) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
