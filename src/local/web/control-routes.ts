import { status } from '@grpc/grpc-js';
import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import {
  type Health,
  type IdleTimeout,
  idleTimeoutSchema,
  nonceHeader,
  type ServiceStatus,
} from '../control.ts';
import { faultSpecSchema } from '../faults/fault.ts';
import type { ArmedFaults } from '../faults/index.ts';
import { RpcError } from '../grpc.ts';
import type { Latency } from '../latency/index.ts';
import { latencySchema } from '../latency/profile.ts';
import { readBody } from './body.ts';
import type { WebEnv } from './env.ts';

export type ControlParts = {
  health: Health;
  services(): ServiceStatus[];
  faults: ArmedFaults;
  latency: Latency;
  /** The latency was set anew. */
  onLatency(): Promise<void>;
  idleTimeout: { get(): IdleTimeout; set(setting: IdleTimeout): Promise<void> };
  onStop(): void;
};

/** How whoever started the local cloud finds it again, looks at it, disturbs it and stops it. */
export function controlRoutes(parts: ControlParts): Hono<WebEnv> {
  const { health, services, faults, latency, idleTimeout } = parts;
  /** Who changes something shows that they can read the home. */
  const guard = createMiddleware<WebEnv>(async (c, next) => {
    if (c.req.header(nonceHeader) !== health.nonce)
      throw new RpcError(status.PERMISSION_DENIED, 'wrong nonce');
    await next();
  });
  return new Hono<WebEnv>()
    .get('/healthz', (c) => c.json(health))
    .get('/local/status', (c) =>
      c.json({ latency: latency.setting, idleTimeout: idleTimeout.get(), services: services() }),
    )
    .post('/local/stop', guard, (c) => {
      // Behind the answer, which the caller waits for.
      setImmediate(parts.onStop);
      return c.json({});
    })
    .put('/local/latency', guard, async (c) => {
      latency.setting = await readBody(c, latencySchema);
      await parts.onLatency();
      return c.json(latency.setting);
    })
    .put('/local/idle-timeout', guard, async (c) => {
      const setting = await readBody(c, idleTimeoutSchema);
      await idleTimeout.set(setting);
      return c.json(setting);
    })
    .get('/local/faults', (c) => c.json({ faults: faults.list() }))
    .post('/local/faults', guard, async (c) => c.json(faults.add(await readBody(c, faultSpecSchema))))
    .delete('/local/faults/:id?', guard, (c) => c.json({ faults: faults.clear(c.req.param('id')) }));
}
