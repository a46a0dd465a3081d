import { stagesOf } from '../release/events.ts';
import type { ReleaseState, ServiceState } from '../release/state.ts';
import { formatThousandths } from '../terminal/format.ts';
import { mark } from '../terminal/marks.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import type { Theme } from '../terminal/theme.ts';

/** One thing that a cycle of deploys changed. */
export type Difference = { way: 'better' | 'worse' | 'changed'; what: string };

/** What a cycle got better or worse than the one before: how far it came, its start, its checks, its cause. Pure. */
export function differences(before: ReleaseState, now: ReleaseState): Difference[] {
  return [...now.services.values()].flatMap((service) => {
    const former = before.services.get(service.service);
    const found = former ? ofService(former, service) : [];
    const prefix = now.services.size > 1 ? `${service.service}: ` : '';
    return found.map(({ way, what }) => ({ way, what: `${prefix}${what}` }));
  });
}

function ofService(before: ServiceState, now: ServiceState): Difference[] {
  return [...reach(before, now), ...start(before, now), ...checks(before, now), ...cause(before, now)];
}

/** A restore is no way forward. */
const order = stagesOf.deploy.filter((stage) => stage !== 'restore');

/** The last stage that went well. */
function reached({ stages }: ServiceState): number {
  return order.findLastIndex((stage) => ['done', 'skipped'].includes(stages[stage]?.outcome ?? ''));
}

function reach(before: ServiceState, now: ServiceState): Difference[] {
  const [from, to] = [reached(before), reached(now)];
  // An unchanged service goes through no stage, and is no step back.
  if (from === to || now.plan?.action === 'none') return [];
  const name = (index: number): string => order[index] ?? 'the beginning';
  return [
    { way: to > from ? 'better' : 'worse', what: `it came as far as ${name(to)}, before: ${name(from)}` },
  ];
}

/** Less than this is noise between two starts of the same code. */
const noticeable = { share: 0.2, seconds: 0.2 };

function start(before: ServiceState, now: ServiceState): Difference[] {
  const [was, is] = [before.profile, now.profile];
  if (!was || !is) return [];
  if (was.outcome !== is.outcome) {
    const way = is.outcome === 'started' ? 'better' : was.outcome === 'started' ? 'worse' : 'changed';
    return [{ way, what: `startup ${was.outcome} → ${is.outcome}` }];
  }
  const [from, to] = [was.totalSeconds, is.totalSeconds];
  if (from === null || to === null) return [];
  const less = Math.abs(to - from);
  if (less < noticeable.seconds || less < from * noticeable.share) return [];
  return [
    {
      way: to < from ? 'better' : 'worse',
      what: `startup ${formatThousandths(from)} → ${formatThousandths(to)}`,
    },
  ];
}

function checks(before: ServiceState, now: ServiceState): Difference[] {
  return now.checks.flatMap((check): Difference[] => {
    const was = before.checks.findLast(({ id, stage }) => id === check.id && stage === check.stage);
    if (!was || was.status === check.status) return [];
    const way = check.status === 'passed' ? 'better' : was.status === 'passed' ? 'worse' : 'changed';
    return [{ way, what: `${check.id} (${check.stage}) ${was.status} → ${check.status}` }];
  });
}

function cause(before: ServiceState, now: ServiceState): Difference[] {
  const [was, is] = [causeOf(before), causeOf(now)];
  if (!is || is === was) return [];
  return [{ way: 'changed', what: was ? `another cause: ${is}` : `cause: ${is}` }];
}

/** Paths of instances and revisions' names differ between cycles of the same failure. */
function causeOf({ finished, revision }: ServiceState): string | undefined {
  const text = finished?.diagnosis?.cause;
  return (
    text &&
    sanitiseLine(revision ? text.replaceAll(revision, 'the revision') : text, 200).replace(
      /instances\/[0-9a-f]+/g,
      'instances/…',
    )
  );
}

/** `cycle 2  better  chat-ws (candidate) failed → passed`, for a person. */
export function cycleLines(cycle: number, found: readonly Difference[], theme: Theme): string[] {
  const head = theme.strong(`cycle ${cycle}`);
  if (found.length === 0) return [`${head}  nothing got better or worse than in cycle ${cycle - 1}`];
  const signs = {
    better: mark('passed', theme),
    worse: mark('failed', theme),
    changed: mark('pending', theme),
  };
  const sorted = [...found].sort((a, b) => rank[a.way] - rank[b.way]);
  return [head, ...sorted.map(({ way, what }) => `  ${signs[way]} ${way.padEnd(7)}  ${what}`)];
}

const rank = { better: 0, changed: 1, worse: 2 };
