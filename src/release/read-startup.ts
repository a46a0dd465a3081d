import { serviceFilter } from '../cloud/log-filter.ts';
import type { Cloud } from '../cloud/ports/index.ts';
import type { Target } from '../config/target.ts';
import { SluiceError } from '../errors.ts';
import { namedTraffic } from '../plan/traffic.ts';
import type { RevisionProfile } from '../startup/profile.ts';
import { createStartupReader } from '../startup/reader.ts';
import { typed } from './run.ts';

/** `command`: the one that asks, for what to type next. */
type Reading = { cloud: Cloud; signal: AbortSignal; command: string };

const entriesRead = 10_000;

/** The startup of one revision as its log tells it now; without a name, of the revisions that serve. */
export async function readStartup(
  target: Target,
  run: Reading,
  revision: string | undefined,
): Promise<RevisionProfile[]> {
  const { cloud, signal } = run;
  const names = revision ? [revision] : await servingRevisions(target, run);
  const { formats, systems } = target.startup;
  const profiles = names.map(async (name) => {
    const reader = createStartupReader({ formats, requiredSystems: systems.required });
    const filter = serviceFilter(target.ref, { revision: name });
    const entries = await cloud.logs.list(
      { project: target.ref.project, filter, limit: entriesRead },
      { signal },
    );
    for (const entry of entries) reader.push(entry);
    const profile = reader.profile(name);
    if (profile) return profile;
    throw new SluiceError('usage', {
      what: `The log of ${target.ref.service} has no entries of a revision ${name}.`,
      next: [typed(run, 'status')],
    });
  });
  return Promise.all(profiles);
}

async function servingRevisions(target: Target, run: Reading): Promise<string[]> {
  const { cloud, signal } = run;
  const live = await cloud.run.readService(target.ref, { signal });
  if (!live) {
    throw new SluiceError('usage', {
      what: `${target.ref.service} does not exist in ${target.environment}.`,
      next: [typed(run, 'deploy')],
    });
  }
  const serving = namedTraffic(live).flatMap(({ revision, percent }) => (percent > 0 ? [revision] : []));
  return serving.length > 0 ? serving : [live.latestCreatedRevision];
}
