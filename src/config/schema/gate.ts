import type { z } from 'zod';
import { duration, flag, list, oneOf, section, text, whole } from './text.ts';

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const clockPattern = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;
const momentPattern =
  /^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-]\d\d:\d\d)?)?$/;
const clockPhrase = 'a time of day such as "16:00"';
const momentPhrase = 'a day such as 2026-12-24, or a time such as 2026-12-24T18:00:00+01:00';

const Window = section({
  days: list(oneOf(days))
    .describe('Days of the week, mon to sun: the window comes again every week.')
    .exactOptional(),
  from: text()
    .describe('When it begins: a day or a time (RFC 3339); with `days` a time of day, 00:00 by default.')
    .exactOptional(),
  to: text()
    .describe('When it ends, as `from`: a day counts to its end; with `days` 24:00 by default.')
    .exactOptional(),
  timeZone: text('a time zone such as Europe/Berlin')
    .refine(isTimeZone, 'a time zone such as Europe/Berlin')
    .describe('For days and times without an offset.')
    .default('UTC'),
  reason: text('why, in a few words').describe('Why nothing is promoted then.'),
})
  .superRefine((window, context) => {
    const [pattern, phrase] = window.days ? [clockPattern, clockPhrase] : [momentPattern, momentPhrase];
    for (const edge of ['from', 'to'] as const) {
      const typed = window[edge];
      if (typed === undefined ? !window.days : !pattern.test(typed) || !exists(typed)) {
        context.addIssue({ code: 'custom', path: typed === undefined ? [] : [edge], message: phrase });
      }
    }
  })
  .describe('A time in which nothing is promoted.');

/** What a promotion into the environment demands. */
export const Gate = section({
  from: text('the name of an environment')
    .describe('The only environment that is promoted from; without it, any.')
    .exactOptional(),
  maxEvidenceAge: duration()
    .describe('How old a passed check may be when it is promoted on.')
    .prefault('24h'),
  approvals: whole(0, 20).describe('How many people must approve the release (`sluice approve`).').default(0),
  selfApproval: flag()
    .describe('true lets the approval of whoever deployed the release count.')
    .default(false),
  freeze: list(Window).describe('When nothing is promoted.').default([]),
}).describe('What a promotion into this environment demands.');

export const Promotion = section({
  image: oneOf(['reference', 'copy'])
    .describe(
      'reference: the image stays in the repository of the source environment, which must be readable here. copy: it is copied into this project, its digest unchanged.',
    )
    .default('reference'),
}).describe('How a promoted image comes into this environment.');

export type Window = z.output<typeof Window>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** No 30th of February; Date would take it for the 2nd of March. */
function exists(typed: string): boolean {
  const day = typed.slice(0, 10);
  return !day.includes('-') || new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}
