import type { Verdict } from '../gate/verdict.ts';
import type { ReleaseState } from '../release/state.ts';
import { mark } from '../terminal/marks.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';

/** The last lines of a release: its verdict, its id, its exit code, and what is still to be done. */
export function endLines(state: ReleaseState, theme: Theme): string[] {
  const { finished } = state;
  if (!finished) return [`${mark('pending', theme)} the release did not finish: its outcome is unknown`];
  const code = finished.exitCode === 0 ? '' : theme.dim(`  exit code ${finished.exitCode}`);
  const { verdict } = finished;
  const listed = state.gate && state.gate.verdict.decision !== 'ready';
  return [
    `${verdictText(verdict, theme)}${excused(state, theme)}  ${theme.dim(`release ${state.id}`)}${code}`,
    // A failure has told its cause above, and a gate that is not open its conditions; what was never reached needs no list.
    ...(!listed && (finished.exitCode === 0 || verdict.decision === 'pending') ? unmet(verdict, theme) : []),
  ];
}

function verdictText({ decision, conditions }: Verdict, theme: Theme): string {
  const met = conditions.filter((condition) => condition.met).length;
  const paint = { ready: theme.good, pending: theme.warn, blocked: theme.bad }[decision];
  return `verdict ${paint(decision)}: ${met} of ${conditions.length} conditions met`;
}

/** What failed and stops nothing is said beside the verdict: nobody shall take it for all green. */
function excused(state: ReleaseState, theme: Theme): string {
  const failed = [...state.services.values()]
    .flatMap(({ checks }) => checks)
    .filter(({ status, required, expectedToFail }) => status !== 'passed' && (!required || expectedToFail));
  const known = failed.filter(({ expectedToFail }) => expectedToFail).length;
  const advisory = failed.length - known;
  const parts = [
    ...(known > 0 ? [`${known} known ${known === 1 ? 'failure' : 'failures'}`] : []),
    ...(advisory > 0 ? [`${advisory} advisory ${advisory === 1 ? 'check' : 'checks'} not passed`] : []),
  ];
  return parts.length > 0 ? theme.warn(`, ${parts.join(', ')}`) : '';
}

function unmet({ conditions }: Verdict, theme: Theme): string[] {
  return conditions
    .filter((condition) => !condition.met)
    .flatMap(({ id, reason, remedy, pending }) => [
      `  ${mark(pending ? 'pending' : 'failed', theme)} ${id}: ${sanitiseLine(reason)}`,
      ...(remedy ? [`    ${theme.accent(signs.next)} ${sanitiseLine(remedy)}`] : []),
    ]);
}
