import type { WebsocketCheck } from '../config/check-spec.ts';
import { createRedactor } from '../redact.ts';
import type { Secret } from '../secret.ts';
import type { CheckContext } from './context.ts';
import { requestHeaders } from './request-headers.ts';
import { oneLine } from './text.ts';
import type { Door } from './websocket-conversation.ts';

/** How the service is spoken to; the token is null when the check signs in with none. */
export async function doorTo(
  url: URL,
  spec: WebsocketCheck,
  context: CheckContext,
  token: Secret | null,
): Promise<Door> {
  const bearer: Record<string, string> =
    token && spec.auth?.as === 'bearer' ? { authorization: `Bearer ${token.reveal()}` } : {};
  const signIn = token && spec.auth?.as === 'subprotocol' ? [subprotocolOf(spec.auth, token)] : [];
  const headers = Object.fromEntries(await requestHeaders({ ...spec.headers, ...bearer }, context));
  // Any of what is sent may be a secret, and a service may say back what it was sent.
  const sent = Object.values(headers).flatMap((value) => [value, value.replace(/^Bearer /, '')]);
  const redact = createRedactor([...(token ? [token.reveal()] : []), ...signIn, ...sent]);
  const address = new URL(url);
  address.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return {
    url: address,
    headers,
    subprotocols: [...spec.subprotocols, ...signIn],
    handshakeSeconds: spec.handshakeSeconds,
    eventField: spec.eventField,
    errors: spec.errors,
    // Before it is cut: half a token is no text that could be found again.
    clean: (text, max) => oneLine(redact(text), max),
  };
}

function subprotocolOf({ prefix, encoding }: NonNullable<WebsocketCheck['auth']>, token: Secret): string {
  const value = token.reveal();
  const written = prefix + (encoding === 'plain' ? value : Buffer.from(value).toString('base64url'));
  if (/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(written)) return written;
  throw new Error('the token holds what no subprotocol may hold: set auth.encoding to base64url');
}

/** What the service may tell a caller by, in words for a result. */
export function credentialsOf(spec: WebsocketCheck, context: CheckContext): string[] {
  const own = Object.keys(spec.headers).filter((name) => /^(authorization|cookie)$/i.test(name));
  return [
    ...Object.keys(context.headers),
    ...own,
    ...(spec.auth ? [spec.auth.as === 'bearer' ? 'a bearer token' : 'a token in a subprotocol'] : []),
    ...(context.idToken ? ['an ID token'] : []),
  ];
}
