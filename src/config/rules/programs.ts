import { RE2JS } from 're2js';
import { fault, type Rule, whyNot } from './rule.ts';

/** Before a build there is no revision to ask and no log to read. */
export const predeployAsksNoRevision: Rule = ({ config: { checklist } }) =>
  checklist.flatMap((check, index) => {
    const path = ['checklist', index, 'stages'];
    if (check.kind === 'imports')
      return check.stages.some((stage) => stage !== 'predeploy')
        ? [fault(path, `the check "${check.id}" looks at the source`, { allowed: 'predeploy' })]
        : [];
    if (check.kind === 'command' || check.kind === 'suite' || check.kind === 'manual') return [];
    if (!check.stages.includes('predeploy')) return [];
    return [
      fault(path, `a check of kind ${check.kind} needs a revision, and before the build there is none`, {
        found: 'predeploy',
        allowed: 'candidate, post',
      }),
    ];
  });

export const suiteHasACommandOrPhases: Rule = ({ config: { checklist } }) =>
  checklist.flatMap((check, index) => {
    if (check.kind !== 'suite') return [];
    const path = ['checklist', index];
    const given = (['command', 'phases'] as const).filter((key) => check[key] !== undefined);
    if (given.length !== 1)
      return [
        fault(path, `the suite "${check.id}" says ${given.length === 0 ? 'nothing' : 'twice what'} to run`, {
          allowed: 'either command or phases',
        }),
      ];
    if (check.phases === undefined) return [];
    if (check.junit !== undefined)
      return [fault([...path, 'junit'], 'with phases each one names its own report', { part: 'key' })];
    const names = check.phases.map(({ name }) => name);
    if (names.length === 0)
      return [
        fault([...path, 'phases'], `the suite "${check.id}" has no phase`, { allowed: 'one at least' }),
      ];
    return names.flatMap((name, at) =>
      names.indexOf(name) < at
        ? [fault([...path, 'phases', at, 'name'], `two phases are called "${name}"`)]
        : [],
    );
  });

/** What Sluice tells a program must be true: a test of another address would be no evidence. */
const told = /^(SERVICE_URL|CANDIDATE_URL|SERVICE_ID_TOKEN|E2E_HEADERS|SLUICE_.*)$/;

export const programVariablesNotReserved: Rule = ({ config: { checklist } }) =>
  checklist.flatMap((check, index) =>
    'env' in check
      ? Object.keys(check.env)
          .filter((key) => told.test(key))
          .map((key) =>
            fault(['checklist', index, 'env', key], `${key} is set by Sluice`, {
              part: 'key',
              allowed: 'any name but SERVICE_URL, CANDIDATE_URL, SERVICE_ID_TOKEN, E2E_HEADERS, SLUICE_*',
            }),
          )
      : [],
  );

export const outputPatternsCompile: Rule = ({ config: { checklist } }) =>
  checklist.flatMap((check, index) =>
    check.kind !== 'command'
      ? []
      : (['present', 'absent'] as const).flatMap((list) =>
          check.output[list].flatMap((pattern, at) => {
            const reason = whyNot(() => RE2JS.compile(pattern));
            return reason === undefined
              ? []
              : [fault(['checklist', index, 'output', list, at], reason, { allowed: 'a RE2 pattern' })];
          }),
        ),
  );

export const importsNameTheirPackages: Rule = ({ config: { checklist } }) =>
  checklist.flatMap((check, index) => {
    if (check.kind !== 'imports') return [];
    const path = ['checklist', index, 'packages'];
    if (check.language === 'node')
      return check.packages.length > 0
        ? [fault(path, 'packages are for language: python', { part: 'key' })]
        : [];
    if (check.packages.length === 0)
      return [
        fault(path, `the check "${check.id}" imports nothing`, { allowed: 'a list such as [netra_backend]' }),
      ];
    return check.packages.flatMap((name, at) =>
      /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(name)
        ? []
        : [
            fault([...path, at], 'no Python module', {
              found: `"${name}"`,
              allowed: 'a name such as app.main',
            }),
          ],
    );
  });
