import { z } from 'zod';
import { list, map, matching, section, text } from './text.ts';

export const variableName = matching(
  /^[A-Za-z_][A-Za-z0-9_]{0,255}$/,
  'a name of letters, digits and _ that does not begin with a digit',
);
const value = z.string({ error: 'text: put it in quotes' }).max(32_768, 'at most 32768 characters');

export const Env = map(variableName, value).describe('Plain variables. Secrets belong under `secrets`.');

export const secretVersion = matching(/^(latest|[1-9]\d*)$/, 'latest or a version number such as "3"');
const secretPhrase = 'SECRET:VERSION such as db-password:3, or {secret, version}';
export const secretName = matching(/^[A-Za-z0-9_-]{1,255}$/, 'a secret of Secret Manager, by its name');

/** `NAME:VERSION` or `{secret, version}` → a reference; the value itself never stands in a config. */
const Secret = z
  .union(
    [
      matching(/^[A-Za-z0-9_-]{1,255}:(latest|[1-9]\d*)$/, secretPhrase),
      section({
        secret: secretName.describe('The name in Secret Manager.'),
        version: secretVersion.describe('A version number, or latest.'),
      }),
    ],
    { error: secretPhrase },
  )
  .transform((typed) => {
    if (typeof typed !== 'string') return typed;
    const [secret = '', number = ''] = typed.split(':');
    return { secret, version: number };
  });

export const Secrets = map(variableName, Secret).describe(
  'Variables that come from Secret Manager: references, never values.',
);

export const CloudSql = list(text('PROJECT:REGION:INSTANCE')).describe(
  'Cloud SQL instances, each PROJECT:REGION:INSTANCE, mounted under /cloudsql.',
);

export const E2e = section({
  env: Env.describe('Variables that open the service to end-to-end tests.').default({}),
  headers: map(
    matching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'the name of an HTTP header'),
    text('text: put it in quotes'),
  )
    .describe('Headers that end-to-end tests send.')
    .default({}),
}).describe(
  'What opens the service to end-to-end tests. It bypasses authentication, so it may stand only where the environment says `e2e: true`.',
);
