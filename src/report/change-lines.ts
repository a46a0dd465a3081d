import type { Change } from '../plan/plan.ts';
import { table } from '../terminal/columns.ts';
import { shortDigest } from '../terminal/format.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';

/** Characters of one value: an env value may be a document. */
const valueLimit = 72;

/** `~ env.LOG_LEVEL  info → debug`, as a diff: `+` is new, `-` goes. */
export function changeLines(changes: readonly Change[], theme: Theme): string[] {
  return table(changes.map((change) => changeRow(change, theme)));
}

function changeRow({ field, from, to }: Change, theme: Theme): string[] {
  const name = sanitiseLine(field);
  if (from === null) return [theme.good(`+ ${name}`), shown(to)];
  if (to === null) return [theme.bad(`- ${name}`), theme.dim(shown(from))];
  return [theme.warn(`~ ${name}`), `${theme.dim(shown(from))} ${signs.next} ${shown(to)}`];
}

/** Of an image named by digest the digest tells all that differs. */
const byDigest = /^[^\s@]+@(sha256:[0-9a-f]{64})$/;

function shown(value: string | null): string {
  if (value === null) return '';
  const digest = byDigest.exec(value)?.[1];
  if (digest) return shortDigest(digest);
  return value === '' ? "''" : sanitiseLine(value, valueLimit);
}
