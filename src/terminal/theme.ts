import { styleText } from 'node:util';

type Paint = (text: string) => string;

/** Colours by meaning. Without colour every function gives its text back. */
export type Theme = {
  good: Paint;
  bad: Paint;
  warn: Paint;
  accent: Paint;
  dim: Paint;
  strong: Paint;
};

const plain: Paint = (text) => text;

export const plainTheme: Theme = {
  good: plain,
  bad: plain,
  warn: plain,
  accent: plain,
  dim: plain,
  strong: plain,
};

const paint =
  (format: Parameters<typeof styleText>[0]): Paint =>
  (text) =>
    styleText(format, text, { validateStream: false });

export const colourTheme: Theme = {
  good: paint('green'),
  bad: paint('red'),
  warn: paint('yellow'),
  accent: paint('cyan'),
  dim: paint('dim'),
  strong: paint('bold'),
};

/** Does Node colour this stream? It honours a non-TTY, NO_COLOR, FORCE_COLOR and TERM=dumb. */
export function wantsColour(stream: NodeJS.WritableStream): boolean {
  return styleText('red', 'x', { stream }) !== 'x';
}

export function themeFor(stream: NodeJS.WritableStream, noColour: boolean): Theme {
  return !noColour && wantsColour(stream) ? colourTheme : plainTheme;
}

/** One sign for one meaning, everywhere. */
export const signs = {
  done: '✔',
  failed: '✖',
  skipped: '–',
  waiting: '·',
  doubt: '?',
  warning: '!',
  next: '→',
} as const;
