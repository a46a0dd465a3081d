import { z } from 'zod';

const bodySchema = z.object({ error: z.object({ message: z.string() }) });
const maxBody = 64 * 1024;

/** As `fetch` gives it and, with other names, node:http. */
export type Answer = { status: number; statusText: string; body: AsyncIterable<Uint8Array> | null };

/** A refused answer as an error whose `status` tells its kind, with Google's own sentence when there is one. */
export async function httpFailure(answer: Answer): Promise<Error> {
  const bytes = await boundedBytes(answer, maxBody).catch(() => new Uint8Array());
  const said = bodySchema.safeParse(jsonOf(bytes)).data?.error.message;
  return Object.assign(new Error(said ?? `HTTP ${answer.status} ${answer.statusText}`.trim()), {
    status: answer.status,
  });
}

/** The body; throws when it is longer than `limit` bytes. */
export async function boundedBytes({ body }: Answer, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
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
