import stripAnsi from 'strip-ansi';

/** C0 and C1 controls but tab and newline, and what turns the reading direction. */
const unprintable = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
const lineBreaks = /\s*[\n\t\u2028\u2029]\s*/g;
/** GitHub's runner obeys `::cmd::` at the head of a line and `##[cmd]` anywhere. */
const workflowCommand = /^(\s*):(?=:)|#(?=#\[)/gm;
const zeroWidthSpace = '\u200b';

/** Characters of one text that are ever shown. */
const shownLimit = 2000;

/** Foreign text (logs, API messages) made safe for a terminal and a CI log: no escapes, bounded, at most `limit` characters. */
export function sanitise(text: string, limit = shownLimit): string {
  // Cut first: a gigabyte on one line must not be searched.
  const clean = stripAnsi(text.slice(0, limit * 4))
    .replace(unprintable, '')
    .replace(workflowCommand, (command) => command + zeroWidthSpace);
  return clean.length <= limit ? clean.toWellFormed() : `${clean.slice(0, limit - 1).toWellFormed()}…`;
}

/** The same on one line. */
export function sanitiseLine(text: string, limit = shownLimit): string {
  return sanitise(text, limit).replace(lineBreaks, ' ').trim();
}
