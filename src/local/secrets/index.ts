import type { Hono } from 'hono';
import type { SecretReader } from '../contracts.ts';
import type { Journal } from '../journal/journal.ts';
import type { WebEnv } from '../web/env.ts';
import { secretsRoutes } from './routes.ts';
import { openSecretsState } from './state.ts';
import { openSecretStore } from './store.ts';

export type SecretsBackend = { routes: Hono<WebEnv>; reader: SecretReader };

/** Secret Manager: values lie in the home, in a file that only the user can read. */
export function openSecrets({ journal }: { journal: Journal }): SecretsBackend {
  const store = openSecretStore(openSecretsState(journal));
  return { routes: secretsRoutes(store), reader: store };
}
