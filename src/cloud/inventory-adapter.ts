import { z } from 'zod';
import { invoke, readMethod } from './call.ts';
import { CloudError, type InventoryPort, type Presence } from './ports/index.ts';
import type { Waiting } from './waiting.ts';

/** Sends an authorised GET and gives the answer's JSON; throws with the HTTP `status` when it is refused. */
export type GetJson = (url: string, limits: { timeoutMs: number; signal: AbortSignal }) => Promise<unknown>;

const version = readMethod('secretmanager.versions.get', 10_000);
const account = readMethod('iam.serviceAccounts.get', 10_000);
const instance = readMethod('sqladmin.instances.get', 10_000);

const versionSchema = z.object({ state: z.string() });
const accountSchema = z.object({ email: z.string(), disabled: z.boolean().default(false) });
const instanceSchema = z.object({
  name: z.string(),
  state: z.string().default(''),
  region: z.string().optional(),
});

/** `origin` of an API's host: its own at Google, one for all on the local cloud. */
export function inventoryAdapter(
  getJson: GetJson,
  waiting: Waiting,
  origin: (host: string) => string = (host) => `https://${host}`,
): InventoryPort {
  const on = { client: async () => getJson, waiting };
  const path = (...parts: string[]) => parts.map(encodeURIComponent).join('/');
  return {
    secretVersion: ({ project, secret, version: number }, call) => {
      const name = secret.startsWith('projects/')
        ? secret
        : `projects/${path(project)}/secrets/${path(secret)}`;
      const url = `${origin('secretmanager.googleapis.com')}/v1/${name}/versions/${path(number)}`;
      return presence(`${name}/versions/${number}`, () =>
        invoke(on, version, name, call, async (get, limits) => {
          const { state } = versionSchema.parse(await get(url, limits));
          return state === 'ENABLED' ? exists : unusable(`its state is ${state}`);
        }),
      );
    },

    serviceAccount: ({ project, email }, call) => {
      const url = `${origin('iam.googleapis.com')}/v1/projects/${path(project)}/serviceAccounts/${path(email)}`;
      return presence(email, () =>
        invoke(on, account, email, call, async (get, limits) => {
          const { disabled } = accountSchema.parse(await get(url, limits));
          return disabled ? unusable('it is disabled') : exists;
        }),
      );
    },

    sqlInstance: ({ project, region, instance: name }, call) => {
      const url = `${origin('sqladmin.googleapis.com')}/v1/projects/${path(project)}/instances/${path(name)}`;
      return presence(`${project}:${name}`, () =>
        invoke(on, instance, `${project}:${name}`, call, async (get, limits) => {
          const { state, region: own = region } = instanceSchema.parse(await get(url, limits));
          // A connection names all three, and is refused when one of them is wrong.
          if (own !== region) return unusable(`it is in ${own}`);
          return state === 'RUNNABLE' ? exists : unusable(`its state is ${state || 'not told'}`);
        }),
      );
    },
  };
}

const exists: Presence = { state: 'exists' };
const unusable = (why: string): Presence => ({ state: 'unusable', why });

async function presence(resource: string, ask: () => Promise<Presence>): Promise<Presence> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind !== 'not-found') throw error;
    return { state: 'missing', why: error.said.includes(resource) ? '' : error.said };
  }
}
