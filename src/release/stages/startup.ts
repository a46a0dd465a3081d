import type { LiveService } from '../../cloud/ports/index.ts';
import type { StartupSpec } from '../../config/target.ts';
import { errorMessage } from '../../errors.ts';
import type { Finding, System } from '../../startup/profile.ts';
import type { StartupSignal } from '../../startup/reader.ts';
import type { Written } from '../guarded-write.ts';
import type { StageResult } from '../journal.ts';
import { createMailbox } from '../mailbox.ts';
import type { RevisionLog } from '../revision-log.ts';
import { type ServiceRun, StageFailure, typed } from '../run.ts';
import { decideStart, type StartDecision, type StartSeen } from '../startup-decision.ts';
import { type NamedPlan, reportCandidate } from './candidate.ts';
import { followOperation, followRevision, type News, warmUp } from './startup-news.ts';

type Seen = StartSeen & {
  /** What each phase, system and finding was last told to be. */
  told: Map<string, string>;
  tellings: number;
  completed: Set<string>;
  systems: Map<string, System>;
  /** The first error that did not end the start: it may be why the rest is missing. */
  unwell: Finding | null;
};

/** A log that flips for ever neither fills the record nor holds up the decision. Fatal lines are told by the log itself. */
const maxTellings = 500;

/**
 * Follows the operation, the revision's conditions and the log together, while warm-up requests keep an
 * idle 0 % instance awake (its CPU is throttled and nobody restarts it otherwise).
 */
export async function awaitStartup(
  run: ServiceRun,
  plan: NamedPlan,
  candidate: Written,
  log: RevisionLog,
  decide: (seen: StartSeen, spec: StartupSpec, now: number) => StartDecision = decideStart,
): Promise<StageResult<LiveService>> {
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  const inner: ServiceRun = { ...run, signal };
  const mailbox = createMailbox<News>(run.signal);
  const seen: Seen = {
    beganAt: performance.now(),
    ready: 'not-yet',
    refusal: '',
    heard: false,
    told: new Map(),
    tellings: 0,
    fatal: null,
    completed: new Set(),
    failedPhase: null,
    systems: new Map(),
    unwell: null,
    answered: false,
    addressed: false,
    lastNewsAt: performance.now(),
  };
  const deaf = log.listen((signals) => mailbox.put({ from: 'log', signals }));
  let live = candidate.live;
  let warming = false;
  const quietly = (work: Promise<void>): void => {
    work.catch((error: unknown) => {
      if (!signal.aborted) notice(run, errorMessage(error));
    });
  };
  quietly(followOperation(inner, candidate.operation, mailbox.put));
  followRevision(inner, plan, mailbox.put).catch((error: unknown) => mailbox.put({ from: 'lost', error }));

  try {
    for (;;) {
      const decision = decide(seen, run.target.startup, performance.now());
      if (decision.kind === 'started') {
        return { value: live, note: decision.because };
      }
      if (decision.kind !== 'wait') throw notStarted(run, plan, decision, seen);
      progress(run, `waiting for ${decision.missing}`);
      const news = await run.track(mailbox.take(decision.forMs));
      if (!news) continue;
      // The reads have been tried again and again: nobody can say any more how it goes.
      if (news.from === 'lost') throw news.error;
      takeIn(run, plan, seen, news);
      if (news.from === 'service') {
        live = news.live;
        if (!warming) {
          warming = true;
          quietly(warmUp(inner, plan, live, mailbox.put));
        }
      }
    }
  } finally {
    deaf();
    stop.abort();
  }
}

function takeIn(run: ServiceRun, plan: NamedPlan, seen: Seen, news: Exclude<News, { from: 'lost' }>): void {
  switch (news.from) {
    case 'operation':
      if (news.outcome.state === 'failed') {
        seen.ready = 'no';
        seen.refusal = news.outcome.said;
      }
      break;
    case 'revision':
      if (seen.ready !== news.ready) seen.lastNewsAt = performance.now();
      seen.ready = news.ready;
      if (news.refusal) seen.refusal = news.refusal;
      break;
    case 'request':
      if (news.answered && !seen.answered) seen.lastNewsAt = performance.now();
      seen.answered ||= news.answered;
      break;
    case 'log':
      seen.heard = true;
      for (const signal of news.signals) takeInSignal(run, seen, signal);
      break;
    case 'service':
      seen.addressed = true;
      reportCandidate(run, plan, news.live);
      break;
  }
}

/** A service may report the same phase with every request: only what is new is told, recorded and waited out. */
function takeInSignal(run: ServiceRun, seen: Seen, signal: StartupSignal): void {
  const service = run.target.key;
  const [subject, state] = tellingOf(signal);
  if (seen.told.get(subject) === state || seen.tellings >= maxTellings) return;
  seen.told.set(subject, state);
  seen.tellings += 1;
  seen.lastNewsAt = performance.now();
  switch (signal.kind) {
    case 'phase':
      if (signal.phase.outcome === 'completed') seen.completed.add(signal.phase.name);
      if (signal.phase.outcome === 'failed') seen.failedPhase ??= signal.phase.name;
      run.journal.emit({ type: 'startup.phase', service, revision: signal.revision, phase: signal.phase });
      break;
    case 'system':
      seen.systems.set(signal.system.name, signal.system);
      run.journal.emit({ type: 'startup.system', service, revision: signal.revision, system: signal.system });
      break;
    case 'fatal':
    case 'finding':
      if (signal.kind === 'fatal') seen.fatal ??= signal.finding;
      else if (signal.finding.severity === 'error') seen.unwell ??= signal.finding;
      run.journal.emit({
        type: 'startup.finding',
        service,
        revision: signal.revision,
        finding: signal.finding,
      });
      break;
    default:
      break;
  }
}

/** What a signal is about, and what it says of it. */
function tellingOf(signal: StartupSignal): [subject: string, state: string] {
  switch (signal.kind) {
    case 'phase': {
      const { name, outcome, seconds } = signal.phase;
      return [`phase ${name}`, seconds === null ? outcome : `${outcome}, timed`];
    }
    case 'system':
      return [`system ${signal.system.name}`, signal.system.status];
    case 'fatal':
    case 'finding':
      return [`${signal.kind} ${signal.finding.category}`, signal.finding.cause];
    default:
      return [signal.kind, ''];
  }
}

function notStarted(
  run: ServiceRun,
  plan: NamedPlan,
  decision: { kind: 'failed' | 'unknown'; because: string },
  seen: Seen,
): StageFailure {
  const verb = decision.kind === 'failed' ? 'did not start' : 'cannot be shown to have started';
  const refusal = seen.refusal === decision.because ? '' : seen.refusal;
  const why = refusal || (decision.kind === 'unknown' ? seen.unwell?.cause : '');
  return new StageFailure(
    'startup',
    {
      what: `Revision ${plan.revision} ${verb}: ${decision.because}`,
      ...(why ? { why } : {}),
      next: [typed(run, 'logs', '--revision', plan.revision)],
    },
    { finding: seen.fatal },
  );
}

function progress(run: ServiceRun, note: string): void {
  run.journal.emit({ type: 'progress', service: run.target.key, stage: 'startup', note });
}

function notice(run: ServiceRun, note: string): void {
  run.journal.emit({ type: 'notice', service: run.target.key, note });
}
