import { randomBytes } from 'node:crypto';
import { ownAgent } from '../checks/own-agent.ts';
import type { LiveService } from '../cloud/ports/index.ts';
import type { Secret } from '../secret.ts';
import { call, type ServiceRun } from './run.ts';

/** Where to send requests and what a private service wants to see. */
export type Door = { url: string; idToken: (() => Promise<Secret>) | null };

/** A closed service is asked with an ID token for its own URL, on a tag's URL too. */
export function doorTo(run: ServiceRun, live: LiveService, url: string): Door {
  if (live.public) return { url, idToken: null };
  return { url, idToken: () => run.cloud.identity.idToken(live.uri, call(run)) };
}

export type Answer = { status: number; body: string; traceId: string };

const bodyLimit = 256 * 1024;

/** One GET with a trace id of our own, by which the request log can be asked later. Throws when nothing answers. */
export async function ask(run: ServiceRun, door: Door, path: string, timeoutMs: number): Promise<Answer> {
  const traceId = randomBytes(16).toString('hex');
  const headers: Record<string, string> = {
    'user-agent': ownAgent,
    ...run.target.e2e.headers,
    traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
  };
  if (door.idToken) headers['authorization'] = `Bearer ${(await door.idToken()).reveal()}`;
  const response = await run.track(
    fetch(new URL(path, door.url), {
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([run.signal, AbortSignal.timeout(timeoutMs)]),
    }),
  );
  return { status: response.status, body: await boundedText(response), traceId };
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > bodyLimit) break;
  }
  return text.slice(0, bodyLimit);
}
