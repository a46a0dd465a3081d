import { z } from 'zod';

const bodySchema = z.object({ error: z.object({ message: z.string() }) });
const maxBody = 64 * 1024;

/** A refused answer as an error whose `status` tells its kind, with Google's own sentence when there is one. */
export async function httpFailure(response: Response): Promise<Error> {
  const bytes = await boundedBytes(response, maxBody).catch(() => new Uint8Array());
  const said = bodySchema.safeParse(jsonOf(bytes)).data?.error.message;
  return Object.assign(new Error(said ?? `HTTP ${response.status} ${response.statusText}`.trim()), {
    status: response.status,
  });
}

/** The body; throws when it is longer than `limit` bytes. */
export async function boundedBytes(response: Response, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > limit) throw new Error(`the answer is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
