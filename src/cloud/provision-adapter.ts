import { invoke, writeMethod } from './call.ts';
import { httpFailure } from './http-failure.ts';
import { CloudError, type ProvisionPort } from './ports/index.ts';
import type { Waiting } from './waiting.ts';

const insert = writeMethod('sqladmin.instances.insert', 10_000);

/** What the sample's sluice.yaml and its README know: nothing but this machine can reach it. */
const rootPassword = 'this-machine-only';
const sqlInstance = { databaseVersion: 'POSTGRES_17', rootPassword, settings: { tier: 'db-f1-micro' } };

/** On the local cloud at this origin. */
export function provisionAdapter(origin: string, waiting: Waiting): ProvisionPort {
  const on = { client: async () => fetch, waiting };
  return {
    async sqlInstance({ project, region, instance: name }, call) {
      const url = `${origin}/v1/projects/${encodeURIComponent(project)}/instances`;
      const body = JSON.stringify({ ...sqlInstance, name, region });
      const headers = { 'content-type': 'application/json' };
      try {
        await invoke(on, insert, `${project}:${name}`, call, async (send, { signal }) => {
          const response = await send(url, { method: 'POST', headers, body, signal });
          if (!response.ok) throw await httpFailure(response);
          await response.body?.cancel();
        });
      } catch (error) {
        // Another service of the release, or another release, was faster.
        if (!(error instanceof CloudError && error.kind === 'conflict')) throw error;
      }
    },
  };
}
