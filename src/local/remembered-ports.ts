import { z } from 'zod';
import { openCollection } from './journal/collection.ts';
import type { Journal } from './journal/journal.ts';
import type { RememberedPorts } from './router/index.ts';

/** Keeps which port each URL has, so that it is the same after a restart. */
export function openRememberedPorts(options: { journal: Journal }): RememberedPorts {
  const ports = openCollection({
    journal: options.journal,
    name: 'ports',
    schema: z.object({ name: z.string(), port: z.int() }),
    keyOf: ({ name }) => name,
  });
  return {
    get: (name) => ports.get(name)?.port,
    set: (name, port) => ports.put({ name, port }),
    delete: (name) => ports.delete(name),
  };
}
