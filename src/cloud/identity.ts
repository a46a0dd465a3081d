import { userInfo } from 'node:os';
import type { GoogleAuth } from 'google-auth-library';
import { z } from 'zod';
import { Secret } from '../secret.ts';
import { invoke, readMethod } from './call.ts';
import type { IdentityPort } from './ports/index.ts';
import type { Waiting } from './waiting.ts';

const whoami = readMethod('identity.whoami', 10_000);
const idToken = readMethod('identity.idToken', 15_000);

export function googleIdentity(auth: GoogleAuth, waiting: Waiting): IdentityPort {
  const on = { client: async () => auth, waiting };
  return {
    whoami: (call) => invoke(on, whoami, '', call, emailOf),

    idToken: (audience, call) =>
      invoke(on, idToken, audience, call, async () => {
        const client = await auth.getIdTokenClient(audience);
        return new Secret(await client.idTokenProvider.fetchIdToken(audience));
      }),
  };
}

/** A service account names itself; of a person's credentials only the access token knows whose it is. */
async function emailOf(auth: GoogleAuth): Promise<string> {
  const { OAuth2Client } = await import('google-auth-library');
  const { client_email: email } = await auth.getCredentials().catch(() => ({ client_email: undefined }));
  if (email) return email;
  const client = await auth.getClient();
  const { token } = await client.getAccessToken();
  if (!token || !(client instanceof OAuth2Client)) return '';
  const info = await client.getTokenInfo(token);
  return info.email ?? '';
}

const mintedSchema = z.object({ token: z.string().min(1) });

/** The local cloud knows no accounts: who acts is the person at this machine. */
export function localIdentity(origin: string, project: string, waiting: Waiting): IdentityPort {
  const on = { client: async () => origin, waiting };
  return {
    whoami: async () => userInfo().username,

    idToken: (audience, call) =>
      invoke(on, idToken, audience, call, async (base, limits) => {
        const email = `sluice@${project}.iam.gserviceaccount.com`;
        const url = new URL(`/v1/projects/-/serviceAccounts/${email}:generateIdToken`, base);
        const answer = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ audience, includeEmail: true }),
          signal: limits.signal,
        });
        if (!answer.ok) throw Object.assign(new Error(await answer.text()), { status: answer.status });
        return new Secret(mintedSchema.parse(await answer.json()).token);
      }),
  };
}
