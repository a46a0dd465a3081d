import type { Git } from '../git.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { DurableEvent } from './events.ts';

type Commits = Extract<DurableEvent, { type: 'commits.found' }>['commits'];

const mostCommits = 100;
const releasesLookedAt = 10;

/**
 * The commits that a release brings: those since the newest release to the same environment that went well. Empty
 * where the ledger or git does not tell.
 */
export async function commitsBrought(
  { ledger, git }: { ledger: Pick<Ledger, 'releases'>; git: Pick<Git, 'commitsBetween'> },
  release: { environment: string; cloud: 'google' | 'local'; commit: string | null },
): Promise<Commits> {
  const { environment, cloud, commit } = release;
  if (commit === null) return [];
  // A ledger that cannot be read fails the release where it is needed, not for this.
  const query = { environment, cloud, changesOnly: true, limit: releasesLookedAt };
  const former = (await ledger.releases(query).catch(() => [])).find(
    ({ outcome }) => outcome === 'succeeded',
  );
  if (!former?.commit || former.commit === commit) return [];
  return git.commitsBetween(former.commit, commit, mostCommits);
}
