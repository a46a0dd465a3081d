import { z } from 'zod';
import { map, matching, text } from '../text.ts';

const variable = matching(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/, 'a name of letters, digits and _');

const argvPhrase = 'a list: the program, then its arguments';

/** A program and its arguments as they are: there is no shell. */
export const argv = () =>
  z
    .array(text('text: put it in quotes'), { error: argvPhrase })
    .min(1, argvPhrase)
    .max(1000, 'at most 1000 arguments');

/** What every check takes that runs a program. */
export const program = {
  dir: text('a folder, relative to the source')
    .describe('Where it runs, relative to the source folder.')
    .default('.'),
  env: map(variable, z.string({ error: 'text: put it in quotes' }))
    .describe('Variables for it, beside those that Sluice sets. {url} stands for the address under check.')
    .default({}),
};
