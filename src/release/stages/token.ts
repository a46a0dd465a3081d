import type { CheckContext } from '../../checks/context.ts';
import { CloudError } from '../../cloud/ports/index.ts';
import type { TokenRef } from '../../config/check-spec.ts';
import { Secret } from '../../secret.ts';
import { call, type ServiceRun } from '../run.ts';

/** Reads what a check signs in with, and keeps it out of every event from then on. */
export function tokenReader(run: ServiceRun, env: NodeJS.ProcessEnv = process.env): CheckContext['token'] {
  return async (ref) => {
    const token = 'variable' in ref ? fromVariable(ref, env) : await fromSecret(run, ref);
    run.journal.protect(token);
    return token;
  };
}

function fromVariable({ variable }: Extract<TokenRef, { variable: string }>, env: NodeJS.ProcessEnv): Secret {
  const value = env[variable]?.trim();
  if (!value) throw new Error(`the environment variable ${variable} is not set: export it and run again`);
  return new Secret(value);
}

/** A value that was piped into a secret often ends in a newline, which no header may hold. */
async function fromSecret(run: ServiceRun, ref: Extract<TokenRef, { secret: string }>): Promise<Secret> {
  try {
    const value = await run.cloud.secrets.access(run.target.ref.project, ref, call(run));
    return new Secret(value.reveal().trim());
  } catch (error) {
    throw new Error(`the secret ${ref.secret}:${ref.version} could not be read: ${whyNot(error)}`);
  }
}

function whyNot(error: unknown): string {
  if (!(error instanceof CloudError)) return String(error);
  if (error.kind === 'unsupported')
    return `${error.said}; give the token as a variable, token: { variable: NAME }`;
  const grant =
    error.kind === 'forbidden' ? '; it takes roles/secretmanager.secretAccessor on the secret' : '';
  return `${error.said}${grant}`;
}
