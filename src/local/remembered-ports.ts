import path from 'node:path';
import { z } from 'zod';
import type { RememberedPorts } from './router/index.ts';
import { openSnapshot } from './snapshot.ts';

/** Keeps in the home which port each URL has, so that it is the same after a restart. */
export function openRememberedPorts(options: { home: string }): RememberedPorts {
  const snapshot = openSnapshot(path.join(options.home, 'ports.json'), z.record(z.string(), z.int()), {});
  const ports = snapshot.value;
  return {
    get: (name) => ports[name],
    set(name, port) {
      ports[name] = port;
      return snapshot.save();
    },
    delete(name) {
      delete ports[name];
      return snapshot.save();
    },
  };
}
