import type { AuthClient } from 'google-auth-library';
import { z } from 'zod';
import { Secret } from '../secret.ts';
import { invoke, readMethod } from './call.ts';
import type { SecretRef, SecretsPort } from './ports/index.ts';
import type { Waiting } from './waiting.ts';

const access = readMethod('secretmanager.versions.access', 10_000);
const secretManager = 'https://secretmanager.googleapis.com';
/** Secret Manager keeps at most 64 KiB, which base64 makes a third longer. */
const maxAnswerBytes = 128 * 1024;

const answerSchema = z.object({ payload: z.object({ data: z.base64() }) });

const versionName = (project: string, { secret, version }: SecretRef): string =>
  `projects/${project}/secrets/${secret}/versions/${version}`;

/** Secret Manager over REST: one method does not need a client of its own. */
export function secretsAdapter(
  client: () => Promise<AuthClient>,
  waiting: Waiting,
  origin: string = secretManager,
): SecretsPort {
  const on = { client, waiting };
  return {
    access: (project, ref, call) => {
      const name = versionName(project, ref);
      return invoke(on, access, name, call, async (client, limits) => {
        const { data } = await client.request<unknown>({
          url: `${origin}/v1/${name}:access`,
          signal: limits.signal,
          maxContentLength: maxAnswerBytes,
          retry: false,
        });
        return payloadOf(data);
      });
    },
  };
}

/** Whatever is wrong with an answer, no word of it may be quoted. */
function payloadOf(answer: unknown): Secret {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) throw new Error('Secret Manager gave an answer without a value');
  return new Secret(Buffer.from(parsed.data.payload.data, 'base64').toString('utf8'));
}
