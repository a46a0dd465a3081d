import type { CheckContext } from './context.ts';
import { ownAgent } from './own-agent.ts';

/** What a check's request carries: the context's headers, its own, and an ID token where the service is private. */
export async function requestHeaders(own: Record<string, string>, context: CheckContext): Promise<Headers> {
  const headers = new Headers({ 'user-agent': ownAgent });
  for (const [name, value] of Object.entries({ ...context.headers, ...own })) {
    // One by one, for a refusal that quotes a value could show a secret.
    try {
      headers.set(name, value);
    } catch {
      throw new Error(`the header ${name} has a name or value that HTTP does not allow`);
    }
  }
  if (context.idToken) {
    // Cloud Run reads its own header first, so that the service can have the usual one for itself.
    const name = headers.has('authorization') ? 'x-serverless-authorization' : 'authorization';
    headers.set(name, `Bearer ${(await context.idToken()).reveal()}`);
  }
  return headers;
}
