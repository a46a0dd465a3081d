import type { CheckResult } from './result-schema.ts';

export type { CheckResult, SuiteCase, SuitePhase } from './result-schema.ts';

/** A result that stops a release: advisory checks and known failures do not, and who waits for a person is told so. */
export function stops(result: CheckResult): boolean {
  return counts(result) && result.status !== 'passed' && result.status !== 'pending';
}

/** A result that the verdict waits for. */
export function waits(result: CheckResult): boolean {
  return counts(result) && result.status === 'pending';
}

function counts({ required, expectedToFail }: CheckResult): boolean {
  return required && expectedToFail === undefined;
}

/** `3 of 4 passed, health failed`: what a stage of checks came to. */
export function summariseChecks(results: readonly CheckResult[]): string {
  if (results.length === 0) return 'no checks in this stage';
  const passed = results.filter(({ status }) => status === 'passed').length;
  const others = results
    .filter(({ status }) => status !== 'passed')
    .map((result) => `${result.id} ${result.status}${standing(result)}`);
  return [`${passed} of ${results.length} passed`, ...others].join(', ');
}

/** Why a result that did not pass stops nothing. */
function standing(result: CheckResult): string {
  if (counts(result)) return '';
  return result.expectedToFail ? ` (known until ${result.expectedToFail.until})` : ' (advisory)';
}
