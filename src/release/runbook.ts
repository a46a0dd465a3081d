import type { Cloud } from '../cloud/ports/index.ts';
import type { Target } from '../config/target.ts';
import { type ExitReason, exitCodes, isExitReason } from '../errors.ts';
import type { Verdict } from '../gate/verdict.ts';
import type { Git } from '../git.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Locks } from '../ledger/lock.ts';
import type { Statements } from '../ledger/statements.ts';
import { e2eSecrets } from '../redact.ts';
import { attest } from './attest.ts';
import type { DurableEvent, Stamped } from './events.ts';
import { createJournal, type Journal } from './journal.ts';
import type { ServiceRun } from './run.ts';
import type { ReleaseState } from './state.ts';

type Started = Extract<DurableEvent, { type: 'release.started' }>;

export type RunbookRequest = {
  runbook: Started['runbook'];
  environment: string;
  targets: Target[];
  /** The command as typed, for messages and the lock. */
  command: string;
  /** What else the record says of its beginning. */
  started?: Pick<Started, 'reason' | 'from' | 'commits' | 'only'>;
  /** Goes on with the release that `deps.release` names, by this command. */
  resumes?: string;
  /** false: it only looks, so it waits for nobody and nobody waits for it. */
  lock?: false;
};

export type RunbookDeps = {
  cloud: Cloud;
  ledger: Ledger;
  locks: Locks;
  statements: Statements;
  git: Git;
  release: string;
  actor: Pick<Started, 'who' | 'account' | 'commit' | 'dirty'>;
  version: string;
  listeners: readonly ((event: Stamped) => void)[];
  signal: AbortSignal;
  now: () => number;
  track: ServiceRun['track'];
  /** See ServiceRun: what the caller itself needs after the release. */
  meanwhile: () => void;
};

export type Runbook = {
  /** Ends every run with `service.finished`; what it throws stops the release. */
  work(runs: ServiceRun[], journal: Journal): Promise<void>;
  /** From everything that was seen to the release's verdict; pure. */
  judge(state: ReleaseState): Verdict;
  /** Loads what the runbook needs later, while something else is waited for. */
  meanwhile?(): void;
};

/** A crashed holder loses its lock after this; a living one renews it. */
const leaseMs = 30_000;

/** Runs a runbook under the locks of its services: what it does and finds is an event; what it returns is their fold. */
export async function conductRelease(
  request: RunbookRequest,
  deps: RunbookDeps,
  runbook: Runbook,
): Promise<ReleaseState> {
  const lock = request.lock === false ? unlocked : await takeLocks(request, deps);
  try {
    const signal = AbortSignal.any([deps.signal, lock.lost]);
    const journal = await openJournal(request, deps);
    // Another process may have ended it before the lock was free.
    if (journal.state.finished) return journal.state;
    const runs = request.targets.map(
      (target): ServiceRun => ({
        target,
        cloud: deps.cloud,
        journal,
        signal,
        now: deps.now,
        track: deps.track,
        meanwhile: () => {
          runbook.meanwhile?.();
          deps.meanwhile();
        },
        statements: deps.statements,
        command: request.command,
        seen: { live: undefined, wrote: false, unanswered: [] },
      }),
    );
    await runbook.work(runs, journal);
    conclude(journal, runbook.judge(journal.state));
    await journal.flush();
    await attest(journal, deps.ledger);
    return journal.state;
  } finally {
    await lock.release();
  }
}

const unlocked = { lost: new AbortController().signal, release: async () => undefined };

function takeLocks(request: RunbookRequest, deps: RunbookDeps) {
  return deps.locks.acquire(
    request.targets.map((target) => target.ref),
    { who: deps.actor.who, why: request.command, release: deps.release, leaseMs, signal: deps.signal },
  );
}

/** Begins the record of a release, or goes on with it. */
async function openJournal(request: RunbookRequest, deps: RunbookDeps): Promise<Journal> {
  const { release, actor } = deps;
  const past = request.resumes === undefined ? undefined : await deps.ledger.reopen(release);
  const journal = createJournal({
    ...{ release, now: deps.now, listeners: deps.listeners },
    recorder: past?.recorder ?? deps.ledger.begin(release),
    secrets: e2eSecrets(request.targets),
    ...(past ? { past: past.record.events } : {}),
  });
  if (journal.state.finished) return journal;
  const about = {
    runbook: request.runbook,
    environment: request.environment,
    cloud: deps.cloud.kind,
    services: request.targets.map((target) => target.key),
    sluice: deps.version,
  };
  if (request.resumes !== undefined) {
    const { who, account } = actor;
    const by = { who, ...(account === undefined ? {} : { account }), command: request.resumes };
    journal.emit({ type: 'release.resumed', ...about, ...by });
    return journal;
  }
  const { command, started } = request;
  journal.emit({ type: 'release.started', ...about, ...actor, command, ...started });
  return journal;
}

/** Folds the services' ends into the release's: the gravest failure gives the exit code, then who waits for a person. */
function conclude(journal: Journal, verdict: Verdict): void {
  const ends = [...journal.state.services.values()].flatMap(({ finished }) => finished ?? []);
  const failures = ends.filter(({ outcome }) => outcome === 'failed' || outcome === 'not-started');
  const reasons = failures.map(({ reason }) => (isExitReason(reason) ? reason : 'unknown'));
  const waiting = ends.some((end) => end.reason === 'gate-pending') ? 'gate-pending' : 'done';
  const reason = gravest.find((each) => reasons.includes(each)) ?? reasons[0] ?? waiting;
  const changed = ends.some(({ outcome }) => outcome === 'deployed' || outcome === 'checked');
  journal.emit({
    type: 'release.finished',
    outcome: outcomeOf(reason, changed),
    exitCode: exitCodes[reason],
    rolledBack: failures.some(({ rolledBack }) => rolledBack),
    verdict,
  });
}

/** Before any other failure: nobody knows what serves, the user stopped it, somebody else is at work. */
const gravest: readonly ExitReason[] = ['unknown', 'interrupted', 'conflict'];

function outcomeOf(
  reason: ExitReason,
  changed: boolean,
): Extract<DurableEvent, { type: 'release.finished' }>['outcome'] {
  if (reason === 'done' || reason === 'gate-pending') return changed ? 'succeeded' : 'unchanged';
  return reason === 'unknown' || reason === 'interrupted' ? reason : 'failed';
}
