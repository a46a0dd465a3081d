import type { z } from 'zod';
import { Build } from './build.ts';
import { Checklist } from './checklist.ts';
import { Container } from './container.ts';
import { Rollout } from './rollout.ts';
import { SchemaNote } from './schema-note.ts';
import { Startup } from './startup.ts';
import { section, text } from './text.ts';
import { CloudSql, E2e, Env, Secrets } from './variables.ts';

/** One service as it is typed; every key may be left out. */
export const Service = section({
  name: text('the name of the Cloud Run service')
    .describe("The Cloud Run service; by default the service's key. May hold {env}.")
    .exactOptional(),
  source: text('a folder, relative to sluice.yaml')
    .describe('The source folder, relative to sluice.yaml.')
    .default('.'),
  build: Build.prefault({}),
  container: Container.prefault({}),
  env: Env.default({}),
  secrets: Secrets.default({}),
  cloudSql: CloudSql.default([]),
  e2e: E2e.prefault({}),
  startup: Startup.prefault({}),
  rollout: Rollout.prefault({}),
  checklist: Checklist.default([]),
  schema: SchemaNote.exactOptional(),
}).describe('A service.');

/** A service after parsing: defaults filled, durations in seconds. */
export type Service = z.output<typeof Service>;
