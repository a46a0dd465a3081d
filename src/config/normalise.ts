import { resolve } from 'node:path';
import { defaultFormats, presets } from '../startup/presets.ts';
import { checklistOf } from './normalise-checks.ts';
import type { Environment } from './schema/file.ts';
import type { Service } from './schema/service.ts';
import type { ContainerSpec, RolloutSpec, StartupSpec, Target } from './target.ts';

export type Place = {
  key: string;
  /** The name of the Cloud Run service. */
  service: string;
  environment: Environment & { name: string };
  /** The folder of sluice.yaml. */
  root: string;
  local: boolean;
};

/** A parsed service, at its place, as the rest of Sluice wants it: units in the names, lists and maps always there. */
export function normalise(config: Service, place: Place): Target {
  const { environment } = place;
  const { timeout, ...build } = config.build;
  const ref = { project: environment.project, region: environment.region, service: place.service };
  return {
    key: place.key,
    environment: environment.name,
    ref,
    cloud: place.local ? 'local' : environment.cloud,
    ...(environment.url === undefined ? {} : { url: environment.url.replace(/\/$/, '') }),
    sourceDir: resolve(place.root, config.source),
    build: { repository: sourceRepository(ref), ...build, timeoutSeconds: timeout },
    container: containerOf(config.container),
    env: { ...config.env, ...config.e2e.env },
    secrets: config.secrets,
    cloudSql: config.cloudSql,
    e2e: config.e2e,
    startup: startupOf(config.startup),
    rollout: rolloutOf(config.rollout),
    checklist: checklistOf(config.checklist, environment.name),
    ...(config.schema ? { schema: config.schema } : {}),
  };
}

/** Where gcloud puts what it builds from source. */
function sourceRepository({ project, region, service }: Target['ref']): string {
  return `${region}-docker.pkg.dev/${project}/cloud-run-source-deploy/${service}`;
}

function containerOf({ timeout, ...container }: Service['container']): ContainerSpec {
  return { serviceAccount: '', ...container, timeoutSeconds: timeout };
}

function startupOf({ quiet, deadline, formats, ...startup }: Service['startup']): StartupSpec {
  return {
    ...startup,
    formats:
      formats.length === 0
        ? defaultFormats
        : formats.flatMap((format) => (typeof format === 'string' ? (presets[format] ?? []) : format)),
    quietSeconds: quiet,
    deadlineSeconds: deadline,
  };
}

function rolloutOf({ bake, trafficDeadline, ...rollout }: Service['rollout']): RolloutSpec {
  return { ...rollout, bakeSeconds: bake, trafficDeadlineSeconds: trafficDeadline };
}
