import stripAnsi from 'strip-ansi';
import { errorMessage } from '../errors.ts';

const ellipsis = '…';
const unprintable = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** Foreign text on one line: no escape sequences, no control or direction characters, at most `max` characters. */
export function oneLine(text: string, max = 200): string {
  // Cut first: nobody sanitises a megabyte for the sake of 200 characters.
  const bounded = text.slice(0, max * 4);
  const clean = stripAnsi(bounded).replace(/\s+/g, ' ').replace(unprintable, '').trim();
  const cut = clean.length > max || bounded.length < text.length;
  return cut ? clean.slice(0, max - 1) + ellipsis : clean;
}

/** Seconds to the millisecond, without trailing zeros: `14.084 s`. */
export function inSeconds(seconds: number): string {
  return `${Number(seconds.toFixed(3))} s`;
}

/** The last words of an output, to go behind a reason: `; it ended: "…"`. */
export function endOf(tail: readonly string[]): string {
  const words = tail.slice(-3).join(' | ');
  return words === '' ? '' : `; it ended: "${words.length > 300 ? `…${words.slice(-300)}` : words}"`;
}

export function errorText(error: unknown): string {
  return oneLine(errorMessage(error), 300);
}
