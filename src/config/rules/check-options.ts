import { suggest } from '../issues.ts';
import { fault, type Rule } from './rule.ts';

/** A check for an environment that is not there would never run, and nobody would miss it. */
export const checkEnvironmentsExist: Rule = ({ config: { checklist }, environments }) =>
  checklist.flatMap(({ id, environments: named }, index) => {
    const path = ['checklist', index, 'environments'];
    if (named?.length === 0)
      return [fault(path, `the check "${id}" never runs`, { allowed: environments.join(', ') })];
    return (named ?? []).flatMap((name, at) =>
      environments.includes(name)
        ? []
        : [
            fault([...path, at], `there is no environment "${name}"`, {
              allowed: environments.join(', '),
              ...suggest(name, environments),
            }),
          ],
    );
  });

export const knownFailuresEndOnADay: Rule = ({ config: { checklist } }) =>
  checklist.flatMap(({ expectedToFail }, index) =>
    expectedToFail === undefined || isDay(expectedToFail.until)
      ? []
      : [
          fault(['checklist', index, 'expectedToFail', 'until'], 'no day of the calendar', {
            found: `"${expectedToFail.until}"`,
            allowed: 'a day such as "2027-01-31"',
          }),
        ],
  );

function isDay(text: string): boolean {
  const parsed = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
}

/** These read what is written down: a second look sees the same. */
const sameEachTime: ReadonlySet<string> = new Set(['startup', 'logs', 'manual']);

export const onlyWhatAsksAnewRepeats: Rule = ({ config: { checklist } }) =>
  checklist.flatMap(({ kind, successes }, index) =>
    successes > 1 && sameEachTime.has(kind)
      ? [
          fault(['checklist', index, 'successes'], `a ${kind} check sees the same with every try`, {
            found: String(successes),
            allowed: '1',
          }),
        ]
      : [],
  );
