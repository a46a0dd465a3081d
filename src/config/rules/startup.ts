import { suggest } from '../issues.ts';
import { fault, type Rule, whyNot } from './rule.ts';

/** A budget for a phase that nobody waits for would never be looked at. */
export const phasesInBudgetsAreKnown: Rule = ({ config: { startup } }) =>
  startup.phases.length === 0
    ? []
    : Object.keys(startup.budgets.phases)
        .filter((phase) => !startup.phases.includes(phase))
        .map((phase) =>
          fault(['startup', 'budgets', 'phases', phase], `"${phase}" is none of the phases`, {
            part: 'key',
            allowed: startup.phases.join(', '),
            ...suggest(phase, startup.phases),
          }),
        );

export const namesNotRepeated: Rule = ({ config: { startup } }) => {
  const repeated = (path: string[], names: string[]) =>
    names.flatMap((name, index) =>
      names.indexOf(name) < index ? [fault(['startup', ...path, index], `"${name}" stands here twice`)] : [],
    );
  const { required, optional } = startup.systems;
  return [
    ...repeated(['phases'], startup.phases),
    ...repeated(['systems', 'required'], required),
    ...optional.flatMap((name, index) =>
      required.includes(name)
        ? [fault(['startup', 'systems', 'optional', index], `"${name}" is required already`)]
        : [],
    ),
  ];
};

export const formatPatternsCompile: Rule = ({ config: { startup } }) =>
  startup.formats.flatMap((format, index) =>
    typeof format === 'string'
      ? []
      : format.lines.flatMap((line, at) => {
          const reason = whyNot(() => new RegExp(line.pattern, line.flags));
          const path = ['startup', 'formats', index, 'lines', at, 'pattern'];
          return reason === undefined
            ? []
            : [fault(path, reason, { allowed: 'a regular expression of JavaScript' })];
        }),
  );
