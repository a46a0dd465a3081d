import { z } from 'zod';
import { flag, list, matching, oneOf, section, text, whole } from '../text.ts';

/** Where a check can run. */
const checkStages = ['predeploy', 'candidate', 'post'] as const;

const day = matching(/^\d{4}-\d{2}-\d{2}$/, 'a day such as "2027-01-31", in quotes');

/** What every kind of check takes. */
export const common = {
  id: matching(/^[a-z0-9][a-z0-9._-]{0,62}$/i, 'letters, digits, ., _ and -').describe(
    'The name of the check in reports.',
  ),
  required: flag().describe('false: a failure is reported and stops nothing (advisory).').default(true),
  environments: list(text('the name of an environment'))
    .describe('Only in these environments; by default in all.')
    .exactOptional(),
  expectedToFail: section({
    until: day.describe('The last day (UTC) on which a failure stops nothing.'),
    reason: text().describe('Why it fails, and who mends it.'),
  })
    .describe('A known failure: reported, and stops nothing until a date.')
    .exactOptional(),
  successes: whole(1, 100)
    .describe('Passes in a row that it takes. A failure begins the count anew, while attempts are left.')
    .default(1),
};

/** For kinds that ask anew with every try. */
export const attempts = (standard: number) =>
  whole(1, 20).describe('Failures, with a pause after each, before they count.').default(standard);

export const stages = () =>
  list(oneOf(checkStages)).describe(
    'predeploy: before any build; candidate: before traffic, on its own URL; post: after, on the URL of the service.',
  );

/** Header and JSON values that a config may name. */
export const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: 'text, a number, true, false or null',
});
