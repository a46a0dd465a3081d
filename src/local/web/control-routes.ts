import { status } from '@grpc/grpc-js';
import { Hono } from 'hono';
import { type Health, nonceHeader, type ServiceStatus } from '../control.ts';
import { RpcError } from '../grpc.ts';
import type { WebEnv } from './env.ts';

export type ControlParts = { health: Health; services(): ServiceStatus[]; onStop(): void };

/** How whoever started the local cloud finds it again, looks at it and stops it. */
export function controlRoutes(parts: ControlParts): Hono<WebEnv> {
  return new Hono<WebEnv>()
    .get('/healthz', (c) => c.json(parts.health))
    .get('/local/status', (c) => c.json({ services: parts.services() }))
    .post('/local/stop', (c) => {
      if (c.req.header(nonceHeader) !== parts.health.nonce)
        throw new RpcError(status.PERMISSION_DENIED, 'wrong nonce');
      // Behind the answer, which the caller waits for.
      setImmediate(parts.onStop);
      return c.json({});
    });
}
