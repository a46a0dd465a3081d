import { mark } from '../terminal/marks.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';

type Copied = {
  copied: number;
  there: number;
  differ: readonly { name: string; from: string; to: string }[];
};

export function copyLines({ copied, there, differ }: Copied, theme: Theme): string[] {
  const counts = `${count(copied, 'object')} copied, ${there} were there already`;
  if (differ.length === 0) return [`${mark('done', theme)} ${counts}`];
  return [
    `${mark('failed', theme)} ${counts}, ${differ.length} ${differ.length === 1 ? 'differs' : 'differ'} and were left as they are`,
    ...differ
      .slice(0, shown)
      .flatMap(({ from, to }) => [`  ${sanitiseLine(from)}`, `  ${theme.dim('is not')} ${sanitiseLine(to)}`]),
    ...rest(differ.length),
  ];
}

type Verified = {
  releases: number;
  intact: number;
  notChained: readonly string[];
  damaged: readonly {
    release: string;
    problems: readonly { segment: string; line: number; why: string }[];
  }[];
};

export function verifyLines({ releases, intact, notChained, damaged }: Verified, theme: Theme): string[] {
  return [
    `${mark(damaged.length > 0 ? 'failed' : 'done', theme)} ${intact} of ${count(releases, 'record')} intact`,
    ...(notChained.length > 0
      ? [
          `  ${theme.warn(signs.warning)} ${count(notChained.length, 'record')} without a digest chain: a change by hand would not show`,
        ]
      : []),
    ...damaged.slice(0, shown).flatMap(({ release, problems }) => [
      `  ${theme.bad(`${signs.failed} ${release} has been damaged`)}`,
      ...problems.slice(0, shown).map(({ segment, line, why }) => {
        const place = line > 0 ? `${segment}:${line}` : segment;
        return `    ${sanitiseLine(place)}  ${sanitiseLine(why)}`;
      }),
    ]),
    ...rest(damaged.length),
  ];
}

const shown = 20;

function rest(length: number): string[] {
  return length > shown ? [`  … and ${length - shown} more`] : [];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
