import type { Failure } from './failure.ts';
import { sanitise } from './sanitise.ts';
import { signs, type Theme } from './theme.ts';

/** `✖ what`, why, `→ next`: the same for every command. */
export function failureLines(failure: Failure, theme: Theme): string[] {
  const [first = '', ...more] = sanitise(failure.what).split('\n');
  return [
    `${theme.bad(`${signs.failed} ${first}`)}`,
    ...more.map((line) => `  ${line}`),
    ...(failure.why
      ? sanitise(failure.why)
          .split('\n')
          .map((line) => `  ${line}`)
      : []),
    ...(failure.next ?? []).map((next) => `${theme.accent(signs.next)} ${sanitise(next)}`),
    ...(failure.stack ? [theme.dim(failure.stack)] : []),
  ];
}

/** The one document that `--json` prints instead of a result. */
export function failureDocument(failure: Failure) {
  const { reason, exitCode, what, why = '', next = [] } = failure;
  return { version: 1, error: { reason, exitCode, what, why, next } } as const;
}
