import { riskOf as assess, type Risk } from '../gate/risk.ts';
import { retyped } from '../typed.ts';
import type { ReleaseReport } from './release-report.ts';

/** Where a release stands, in words that every format of the report uses. */

const outcomes = {
  succeeded: 'successful',
  unchanged: 'nothing to do: it runs already',
  failed: 'failed',
  interrupted: 'interrupted',
  unknown: 'outcome unknown',
} as const;

export function statusOf({ state }: ReleaseReport): string {
  const { finished } = state;
  if (!finished) return 'unfinished: the record ends before the release did';
  const back = finished.rolledBack ? ', rolled back to the former traffic' : '';
  return `${outcomes[finished.outcome]}${back}`;
}

export type Standing = 'good' | 'waiting' | 'bad';

export function standingOf({ state }: ReleaseReport): Standing {
  const { finished } = state;
  if (finished?.exitCode === 0 && finished.verdict.decision === 'ready') return 'good';
  return finished?.exitCode === 0 || finished?.verdict.decision === 'pending' ? 'waiting' : 'bad';
}

/** What to do now. Only a verdict recommends anything; without one the report says what is missing. */
export function recommendationOf({ state }: ReleaseReport): { text: string; next: string[] } {
  const { finished, started } = state;
  if (!finished)
    return {
      text: 'Unknown: read the state before anything else',
      next: [retyped(started?.command ?? `sluice deploy ${started?.environment ?? ''}`, 'status')],
    };
  const open = finished.verdict.conditions.filter(({ met }) => !met);
  const next = [...new Set(open.flatMap(({ remedy }) => (remedy ? [remedy] : [])))];
  switch (finished.verdict.decision) {
    case 'ready':
      return { text: `Ready: all ${finished.verdict.conditions.length} conditions are met`, next: [] };
    case 'pending':
      return { text: `Wait: ${open.length} conditions wait for a person`, next };
    case 'blocked':
      return {
        text: `Not ready: ${open.length} of ${finished.verdict.conditions.length} conditions are not met`,
        next,
      };
  }
}

/** As the gate assessed it; of a deploy, which asks no gate, by the same rules. null: nothing was to change. */
export function riskOf({ state }: ReleaseReport): Risk | null {
  if (state.gate) return { level: state.gate.risk, reasons: state.gate.riskReasons };
  if (state.started?.runbook !== 'deploy') return null;
  const plans = [...state.services.values()].flatMap(({ plan }) => plan ?? []);
  return plans.some(({ action }) => action !== 'none') ? assess(plans) : null;
}
