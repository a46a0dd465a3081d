import { z } from 'zod';
import { holdSchema } from './hold.ts';
import { schemaNoteSchema } from './schema-note.ts';

/** One field that the deploy changes, against the revision that serves. */
export const changeSchema = z.object({
  /** `image`, `env.LOG_LEVEL`, `container.memory`, `traffic`, … */
  field: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
});

export const trafficSchema = z.object({
  revision: z.string(),
  percent: z.number().int().min(0).max(100),
  tag: z.string().exactOptional(),
});

/** What a deploy starts from: versioned, printable, and exactly what apply is given. */
export const planSchema = z.object({
  version: z.literal(1),
  service: z.string(),
  environment: z.string(),
  place: z.object({ project: z.string(), region: z.string(), service: z.string() }),
  /** `create`: the service does not exist. `rollback`: to a revision that exists. `none`: nothing to do. */
  action: z.enum(['create', 'update', 'rollback', 'none']),
  /** Nothing serves yet: there is no traffic to protect, and the service stays closed until it has passed. */
  first: z.boolean(),
  /** Why, in one line. */
  because: z.string(),
  changes: z.array(changeSchema),
  /** Where the image comes from; `digest` null = known after build. */
  image: z.object({
    from: z.enum(['build', 'earlier-build', 'given']),
    reference: z.string().nullable(),
    source: z.string().nullable(),
  }),
  /** The named revision to be made, or to go back to; null when action is none. */
  revision: z.string().nullable(),
  tag: z.string().nullable(),
  /** Traffic that serves now, which a failure restores. */
  formerTraffic: z.array(trafficSchema),
  /** The etag this plan was made against; '' for a create. */
  etag: z.string(),
  /** Service-wide settings that work at once and are applied after the checks. */
  serviceWide: z.array(changeSchema),
  /** The database schema that the revision needs, when sluice.yaml says. */
  schema: schemaNoteSchema.exactOptional(),
  /** Why the traffic is held where it is. */
  hold: holdSchema.exactOptional(),
  steps: z.array(z.string()),
  notes: z.array(z.string()),
  /** What stops it, e.g. a foreign pin; each with the command that resolves it. */
  blockers: z.array(z.object({ what: z.string(), why: z.string(), next: z.array(z.string()) })),
});

export type Change = z.infer<typeof changeSchema>;
export type PlannedTraffic = z.infer<typeof trafficSchema>;
export type Plan = z.infer<typeof planSchema>;
