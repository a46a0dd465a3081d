import { judgeAnswers } from '../checks/manual.ts';
import type { Cloud } from '../cloud/ports/index.ts';
import type { ManualCheck } from '../config/check-spec.ts';
import { nearest } from '../config/problem.ts';
import type { Target } from '../config/target.ts';
import { SluiceError } from '../errors.ts';
import type { Signature, Statements } from '../ledger/statements.ts';
import { describeTraffic, namedTraffic, onlyServing } from '../plan/traffic.ts';
import { digestIn } from './check-context.ts';
import { call, typed, typedSign } from './run.ts';

export type SignRequest = {
  targets: readonly Target[];
  environment: string;
  /** The id of the manual check. */
  item: string;
  outcome: Signature['outcome'];
  note: string;
  /** As git tells; '' when it does not. */
  git: string;
  /** `sluice sign staging --local`: for what to type next. */
  command: string;
};

type SignDeps = { cloud: Cloud; statements: Statements; signal: AbortSignal; now: () => Date };

/** What was recorded, and the service's manual checks that nobody has answered for this revision. */
export type Signed = { signature: Signature; question: string; open: { item: string; question: string }[] };

const maxNote = 2_000;

/** Records a person's answer for the revision that serves. Writes to the ledger alone. */
export async function sign(request: SignRequest, deps: SignDeps): Promise<Signed> {
  const { target, check } = itemOf(request);
  const [subject, account] = await Promise.all([
    liveSubject(target, request, deps),
    // Who signs is known to git too: credentials that do not tell stop nobody.
    deps.cloud.identity.whoami(call(deps, 10_000)).catch(() => ''),
  ]);
  deps.signal.throwIfAborted();
  const place = { environment: target.environment, service: target.key };
  const signature: Signature = {
    v: 1,
    ...place,
    item: check.id,
    outcome: request.outcome,
    note: noteOf(request),
    by: { git: request.git, account },
    at: deps.now().toISOString(),
    ...subject,
  };
  await deps.statements.sign(signature);
  const answers = await deps.statements.signatures(place);
  const open = manualChecks(target).filter(
    (other) => judgeAnswers(other, answers, subject, '').status === 'pending',
  );
  return {
    signature,
    question: check.question,
    open: open.map(({ id, question }) => ({ item: id, question })),
  };
}

function manualChecks({ checklist }: Target): ManualCheck[] {
  return checklist.filter((check) => check.kind === 'manual');
}

function itemOf(request: SignRequest): { target: Target; check: ManualCheck } {
  const { targets, environment, item, command } = request;
  const found = targets.flatMap((target) =>
    manualChecks(target).flatMap((check) => (check.id === item ? [{ target, check }] : [])),
  );
  const [first] = found;
  if (!first) throw unknownItem(request);
  if (found.length === 1) return first;
  throw new SluiceError('usage', {
    what: `${found.length} services have a manual check ${item}: ${found.map(({ target }) => target.key).join(', ')}.`,
    why: 'A signature is for one of them.',
    next: found.map(({ target }) => typedSign({ command }, environment, item, target.key)),
  });
}

function unknownItem({ targets, environment, item }: SignRequest): SluiceError {
  const other = targets.flatMap(({ checklist }) => checklist).find(({ id }) => id === item);
  const items = [...new Set(targets.flatMap((target) => manualChecks(target).map(({ id }) => id)))];
  const meant = nearest(item, items);
  return new SluiceError('usage', {
    what: other
      ? `${item} is a check of kind ${other.kind}: no person answers it.`
      : `There is no manual check ${item} in ${environment}.${meant ? ` Did you mean ${meant}?` : ''}`,
    why: items.length > 0 ? `Manual checks: ${items.join(', ')}.` : 'No check here is of kind manual.',
  });
}

function noteOf({ note }: SignRequest): string {
  const words = note.trim();
  if (words !== '' && words.length <= maxNote) return words;
  throw new SluiceError('usage', {
    what:
      words === ''
        ? 'A note says what was looked at; this one is empty.'
        : `The note is longer than ${maxNote} characters.`,
    next: ['--note "asked three questions, all answered in French"'],
  });
}

/** What the answer is for: the one revision that serves, and its image. */
async function liveSubject(
  target: Target,
  { command }: SignRequest,
  { cloud, signal }: SignDeps,
): Promise<{ revision: string; digest: string }> {
  const live = await cloud.run.readService(target.ref, { signal });
  if (!live) {
    const what = `${target.key} does not exist in ${target.environment}: there is nothing to answer for.`;
    throw new SluiceError('preflight', { what, next: [typed({ command }, 'deploy')] });
  }
  const traffic = namedTraffic(live);
  const revision = onlyServing(traffic);
  if (!revision) {
    throw new SluiceError('preflight', {
      what: `No single revision of ${target.key} serves: ${describeTraffic(traffic)}.`,
      why: 'An answer is for one revision, and nobody can tell which of them was looked at.',
      next: [typed({ command }, 'status')],
    });
  }
  const found = await cloud.run.readRevision(target.ref, revision, { signal });
  const digest = digestIn(found?.template.image ?? '');
  if (digest) return { revision, digest };
  throw new SluiceError('preflight', {
    what: `The image of ${revision} has no digest, so nobody can say what an answer is for.`,
    next: [typed({ command }, 'deploy')],
  });
}
