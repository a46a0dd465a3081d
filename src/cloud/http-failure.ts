import { z } from 'zod';

const bodySchema = z.object({ error: z.object({ message: z.string() }) });
const maxBody = 64 * 1024;

/** A refused answer as an error whose `status` tells its kind, with Google's own sentence when there is one. */
export async function httpFailure(response: Response): Promise<Error> {
  const text = await boundedText(response, maxBody).catch(() => '');
  const said = bodySchema.safeParse(jsonOf(text)).data?.error.message;
  return Object.assign(new Error(said ?? `HTTP ${response.status} ${response.statusText}`.trim()), {
    status: response.status,
  });
}

/** The body as text; throws when it is longer than `limit` bytes. */
export async function boundedText(response: Response, limit: number): Promise<string> {
  return Buffer.from(await boundedBytes(response, limit)).toString('utf8');
}

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

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
