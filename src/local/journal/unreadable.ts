import { copyFileSync, fstatSync, ftruncateSync } from 'node:fs';
import type { Contents } from './lines.ts';

/**
 * Cuts off what a kill or a full disk left half-written, and says what of the file is not used. A damaged line with good
 * ones after it is skipped like the tail: a power cut may write the pages of the last, unanswered call in any order, so
 * it proves no more than the tail does; and to refuse the file would lose everything for one line. But as it can also
 * be a failing disk's work, the file is kept as it was.
 */
export function dropUnreadable(
  file: string,
  fd: number,
  { end, damaged }: Contents,
  warn: (line: string) => void,
): void {
  const tail = fstatSync(fd).size - end;
  const copy = `${file}.damaged`;
  // With nothing before it, it is hardly the tail of anything.
  if (damaged.length > 0 || (tail > 0 && end === 0)) copyFileSync(file, copy);
  if (damaged.length > 0) {
    const places = damaged.map(({ offset, bytes }) => `${bytes} bytes at byte ${offset}`).join(', ');
    warn(`${file}: cannot read ${places}. The rest is used; the file as it was is kept as ${copy}.`);
  }
  if (tail > 0) {
    ftruncateSync(fd, end);
    warn(
      `${file}: dropped its last ${tail} bytes, a half-written change that no answered call made. The ${end} bytes before it are used.`,
    );
  }
}
