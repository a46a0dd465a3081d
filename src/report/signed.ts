import type { Signed } from '../release/sign.ts';
import { shortDigest } from '../terminal/format.ts';
import { mark } from '../terminal/marks.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';
import { field } from './layout.ts';

/** What was recorded of an answer, and what is still open. `nextFor`: how to answer another item. */
export function signedLines(
  { signature, question, open }: Signed,
  nextFor: (item: string) => string,
  theme: Theme,
): string[] {
  const { item, outcome, note, by, at, revision, digest } = signature;
  const who = [by.git, by.account].filter(Boolean);
  return [
    `${mark(outcome, theme)} ${theme.strong(`${sanitiseLine(item)} is signed as ${outcome}`)}: ${sanitiseLine(question)}`,
    ...field('service', [`${signature.service} in ${signature.environment}`], theme),
    ...field('revision', [`${revision}  ${theme.dim(shortDigest(digest))}`], theme),
    ...field('by', [who.length > 0 ? sanitiseLine(who.join(', ')) : 'nobody who is known'], theme),
    ...field('at', [at], theme),
    ...field('note', [sanitiseLine(note)], theme),
    ...field(
      'open',
      open.map((other) => `${mark('pending', theme)} ${other.item}: ${sanitiseLine(other.question)}`),
      theme,
    ),
    ...open.map((other) => `${theme.accent(signs.next)} ${nextFor(other.item)}`),
  ];
}
