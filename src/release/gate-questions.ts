import { type Cloud, CloudError, type Presence } from '../cloud/ports/index.ts';
import { parseSqlInstanceName } from '../cloud-sql.ts';
import type { Target } from '../config/target.ts';
import type { Arriving } from '../gate/leaks.ts';
import type { Ancestry, Resource } from '../gate/target-conditions.ts';
import type { Git } from '../git.ts';
import type { Commit } from './evidence-records.ts';
import { call } from './run.ts';

/** How the promoted commit lies to the one that runs; `runs` null: nothing does. */
export async function compareCommits(built: Commit, runs: Commit | null, git: Git): Promise<Ancestry> {
  if (!runs) return { kind: 'nothing-runs' };
  const [source, target] = [built.commit, runs.commit];
  if (!source || !target) {
    return {
      kind: 'not-comparable',
      why: `the commit of what is ${source ? 'running' : 'promoted'} is not known`,
    };
  }
  if (built.dirty || runs.dirty) {
    return {
      kind: 'not-comparable',
      why: `what is ${built.dirty ? 'promoted' : 'running'} had uncommitted changes`,
    };
  }
  if (source === target) return { kind: 'same', source, target };
  const [newer, older] = await Promise.all([git.isAncestor(target, source), git.isAncestor(source, target)]);
  if (newer === null || older === null) return { kind: 'untold', why: 'it does not have both commits here' };
  return { kind: newer ? 'newer' : older ? 'older' : 'diverged', source, target };
}

/** Is all there that the target's next revision would refer to? */
export async function askForResources(
  target: Target,
  arriving: Arriving,
  cloud: Pick<Cloud, 'inventory'>,
  signal: AbortSignal,
): Promise<Resource[]> {
  const inventory = await cloud.inventory();
  const { project } = target.ref;
  const asking = call({ signal });
  const secrets = new Map(Object.values(arriving.secrets).map((of) => [`${of.secret}:${of.version}`, of]));
  const { serviceAccount: email } = target.container;
  return Promise.all([
    ...[...secrets].map(([name, of]) =>
      ask('secret', name, () => inventory.secretVersion({ project, ...of }, asking)),
    ),
    ...(email
      ? [ask('service account', email, () => inventory.serviceAccount({ project, email }, asking))]
      : []),
    ...arriving.cloudSql.map((name) => {
      const instance = parseSqlInstanceName(name);
      return ask('Cloud SQL instance', name, () => inventory.sqlInstance(instance, asking));
    }),
  ]);
}

/** A cloud that does not tell is an answer too, and never a good one. */
async function ask(kind: Resource['kind'], name: string, asked: () => Promise<Presence>): Promise<Resource> {
  try {
    return { kind, name, answer: await asked() };
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'aborted') throw error;
    return { kind, name, answer: { state: 'unknown', why: error.said } };
  }
}
