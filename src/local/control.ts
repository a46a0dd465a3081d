import { z } from 'zod';
import { latencySchema } from './latency/profile.ts';

/** `GET /healthz`: who listens. The nonce tells this server from any other that has its port later. */
export const healthSchema = z.object({ nonce: z.string(), pid: z.int(), stamp: z.string() });
export type Health = z.infer<typeof healthSchema>;

/** How long an instance may be idle, in seconds; Cloud Run's own is 15 minutes at the most. */
export const idleTimeoutSchema = z.object({ seconds: z.number().min(0.1).max(86_400) });
export type IdleTimeout = z.infer<typeof idleTimeoutSchema>;

/** `GET /local/status` */
export const statusSchema = z.object({
  latency: latencySchema,
  idleTimeout: idleTimeoutSchema,
  services: z.array(
    z.object({
      project: z.string(),
      location: z.string(),
      service: z.string(),
      uri: z.string(),
      ready: z.boolean(),
    }),
  ),
});
export type ServiceStatus = z.infer<typeof statusSchema>['services'][number];

/** Proof, beside the loopback address, that the caller can read the home. */
export const nonceHeader = 'x-local-cloud-nonce';
