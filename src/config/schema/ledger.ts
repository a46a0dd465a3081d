import { matching } from './text.ts';

const part = '[A-Za-z0-9_][A-Za-z0-9._-]{0,99}';
const bucket = '[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]';

/** A bucket with a prefix, or a path without a scheme. */
export const ledgerPattern = new RegExp(
  `^(gs://${bucket}(/${part}){0,4}/?|(?!-)(?![A-Za-z][A-Za-z0-9+.]*:)[^\\s\\0]{1,500})$`,
);
export const ledgerPhrase = 'gs://BUCKET/PREFIX, or the path of a folder';

export const ledger = () => matching(ledgerPattern, ledgerPhrase);
