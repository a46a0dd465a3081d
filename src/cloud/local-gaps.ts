import { CloudError, type RegistryPort } from './ports/index.ts';

/** What the local cloud lacks: it says so, and nobody may take that for an answer. */

export const localRegistry: RegistryPort = {
  copy: ({ from }) =>
    lacks('registry.copy', from, 'registry: its projects share their images (`promotion.image: reference`)'),
};

function lacks(method: string, resource: string, what: string): Promise<never> {
  const said = `the local cloud has no ${what}`;
  return Promise.reject(new CloudError('unsupported', { method, resource, said }));
}
