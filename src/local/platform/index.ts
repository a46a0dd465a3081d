import type { Hono } from 'hono';
import type { Journal } from '../journal/journal.ts';
import type { WebEnv } from '../web/env.ts';
import { artifactRegistryRoutes } from './artifact-registry.ts';
import { projectRoutes } from './projects.ts';
import { serviceAccountRoutes } from './service-accounts.ts';
import { serviceUsageRoutes } from './service-usage.ts';

/** The small APIs around a build and a deployment: what is asked of them before and between. */
export function platformRoutes(parts: { journal: Journal }): Hono<WebEnv>[] {
  return [serviceUsageRoutes(), artifactRegistryRoutes(parts), projectRoutes(), serviceAccountRoutes(parts)];
}
