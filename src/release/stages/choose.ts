import type { LiveRevision, LiveService } from '../../cloud/ports/index.ts';
import { SluiceError } from '../../errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Plan } from '../../plan/plan.ts';
import { type Choice, type ChoiceInputs, chooseTarget } from '../../plan/rollback-choice.ts';
import { makeRollbackPlan } from '../../plan/rollback-plan.ts';
import type { SchemaNote } from '../../plan/schema-note.ts';
import type { PastRelease } from '../../plan/served.ts';
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

/**
 * Records that are looked at: at night the newest must do, and only when they do not tell more are read. Failed
 * releases count too: a deploy loop makes many between two that served.
 */
const recordsLookedAt = [20, 200];

/** Reads the cloud and the ledger and chooses; throws `usage`, with the candidates, when the choice is not clear. */
export async function choose(run: ServiceRun, ledger: Ledger, wish: RollbackWish): Promise<Chosen> {
  const { target, cloud } = run;
  const live = await cloud.run.readService(target.ref, call(run));
  if (!live) {
    throw new SluiceError('preflight', {
      what: `${target.ref.service} does not exist in ${target.environment}: there is nothing to roll back.`,
      next: [typed(run, 'deploy')],
    });
  }
  const asked = wish.to !== undefined && isRevisionName(wish.to) ? [wish.to] : [];
  const listed = await readRevisions(run, live, asked);
  const { past, choice } = await chooseByRecords(run, ledger, { live, revisions: listed, to: wish.to });
  if (choice.kind === 'refused') throw new SluiceError('usage', choice.problem);
  const { revision, release, passed } = choice.target;
  // What the records name may be older than what was listed.
  const revisions = listed.some(({ name }) => name === revision)
    ? listed
    : await readRevisions(run, live, [revision]);
  const inputs = { ...wish, target, live, revisions, past, choice, command: run.command };
  return {
    ...makeRollbackPlan(inputs),
    ...{ live, revisions, release },
    from: onlyServing(namedTraffic(live)) ?? '',
    undoes: choice.undoes,
    passed: passed === true,
  };
}

async function chooseByRecords(
  run: ServiceRun,
  ledger: Ledger,
  found: Pick<ChoiceInputs, 'live' | 'revisions' | 'to'>,
): Promise<{ past: PastRelease[]; choice: Choice }> {
  const { environment, key: service } = run.target;
  for (const [index, limit] of recordsLookedAt.entries()) {
    const past = await readPastReleases(ledger, { environment, service, limit });
    const choice = chooseTarget({ ...found, past, command: run.command });
    const told = choice.kind === 'chosen' && choice.target.passed !== null;
    if (told || index === recordsLookedAt.length - 1) return { past, choice };
  }
  throw new Error('no records are looked at');
}

/** What Cloud Run could be asked for at all. */
function isRevisionName(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,62}$/.test(text);
}
