import type { LiveRevision, LiveService } from '../../cloud/ports/index.ts';
import { SluiceError } from '../../errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Plan } from '../../plan/plan.ts';
import { chooseTarget } from '../../plan/rollback-choice.ts';
import { makeRollbackPlan } from '../../plan/rollback-plan.ts';
import type { SchemaNote } from '../../plan/schema-note.ts';
import { namedTraffic, onlyServing } from '../../plan/traffic.ts';
import { readPastReleases } from '../past-releases.ts';
import { call, type ServiceRun, typed } from '../run.ts';
import { readRevisions } from './observe.ts';

export type RollbackWish = {
  /** A revision or a release; undefined: the last that served with a passed verdict. */
  to: string | undefined;
  now: boolean;
  takeOverTraffic: boolean;
  acceptSchemaRisk: boolean;
};

/** Where a rollback goes, and what that means. */
export type Chosen = {
  live: LiveService;
  revisions: LiveRevision[];
  plan: Plan;
  risks: SchemaNote[];
  /** The one revision that serves; '' for a split. */
  from: string;
  /** The release that made what serves; null when no record tells. */
  undoes: string | null;
  /** The release that once gave the revision its traffic, and whether all had passed then. */
  release: string | null;
  passed: boolean;
};

/** Reads the cloud and the ledger and chooses; throws `usage`, with the candidates, when the choice is not clear. */
export async function choose(run: ServiceRun, ledger: Ledger, wish: RollbackWish): Promise<Chosen> {
  const { target, cloud } = run;
  const [live, past] = await Promise.all([
    cloud.run.readService(target.ref, call(run)),
    readPastReleases(ledger, { environment: target.environment, service: target.key }),
  ]);
  if (!live) {
    throw new SluiceError('preflight', {
      what: `${target.ref.service} does not exist in ${target.environment}: there is nothing to roll back.`,
      next: [typed(run, 'deploy')],
    });
  }
  const asked = wish.to === undefined ? [] : past.filter(({ release }) => release === wish.to);
  const names = [
    ...asked.map(({ revision }) => revision),
    ...(wish.to && isRevisionName(wish.to) ? [wish.to] : []),
  ];
  const listed = await readRevisions(run, live, names);
  const choice = chooseTarget({ live, revisions: listed, past, to: wish.to, command: run.command });
  if (choice.kind === 'refused') throw new SluiceError('usage', choice.problem);
  const { revision, release, passed } = choice.target;
  // By default the choice comes from the records: it may be older than what was listed.
  const revisions = listed.some(({ name }) => name === revision)
    ? listed
    : await readRevisions(run, live, [revision]);
  const { plan, risks } = makeRollbackPlan({
    ...wish,
    target,
    live,
    revisions,
    past,
    choice,
    command: run.command,
  });
  return {
    ...{ live, revisions, plan, risks, release },
    from: onlyServing(namedTraffic(live)) ?? '',
    undoes: choice.undoes,
    passed: passed === true,
  };
}

/** What Cloud Run could be asked for at all. */
function isRevisionName(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,62}$/.test(text);
}
