import { fault, type Rule } from './rule.ts';

export const rolloutEndsAt100: Rule = ({ config: { rollout } }) => {
  const { steps } = rollout;
  const ascending = steps.every((step, index) => step > (steps[index - 1] ?? 0));
  if (ascending && steps.at(-1) === 100) return [];
  return [
    fault(['rollout', 'steps'], 'the traffic must rise to all of it', {
      found: `[${steps.join(', ')}]`,
      allowed: 'ascending percents that end in 100',
    }),
  ];
};
