import type { Failure } from './failure.ts';
import { sanitise } from './sanitise.ts';
import { signs, type Theme } from './theme.ts';

/** `✖ what`, why, `→ next`: the same for every command. */
export function failureLines(failure: Failure, theme: Theme): string[] {
  const [first = '', ...more] = safeLines(failure.what);
  return [
    theme.bad(`${signs.failed} ${first}`),
    ...more.map((line) => `  ${line}`),
    ...(failure.why ? safeLines(failure.why).map((line) => `  ${line}`) : []),
    ...(failure.next ?? []).map((next) => `${theme.accent(signs.next)} ${sanitise(next)}`),
    ...(failure.stack ? [theme.dim(failure.stack)] : []),
  ];
}

const shownLines = 200;

/** Line by line, because a list of all that is wrong may be long. */
function safeLines(text: string): string[] {
  const lines = text.split('\n', shownLines + 1);
  const shown = lines.slice(0, shownLines).map((line) => sanitise(line));
  return lines.length > shownLines ? [...shown, '…'] : shown;
}

/** The one document that `--json` prints instead of a result. */
export function failureDocument(failure: Failure) {
  const { reason, exitCode, what, why = '', next = [] } = failure;
  return { version: 1, error: { reason, exitCode, what, why, next } } as const;
}
