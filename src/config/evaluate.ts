import type { Path, Source } from './document.ts';
import { e2eNames } from './e2e-names.ts';
import { type Fault, show } from './issues.ts';
import { fillIn, type Names, typedAt, withSet } from './layers.ts';
import { asValues, type Values, valueAt } from './merge.ts';
import { normalise } from './normalise.ts';
import { locate, origin } from './origin.ts';
import { parseTolerant } from './parse.ts';
import { holdsPlaceholder, type Unfilled, type Variables } from './placeholders.ts';
import type { ConfigProblem } from './problem.ts';
import { applyRules } from './rules/index.ts';
import { Environment } from './schema/file.ts';
import { Service } from './schema/service.ts';
import type { Target } from './target.ts';

export type Inputs = {
  /** The folder of sluice.yaml. */
  root: string;
  /** For `${VAR}`. */
  variables: Variables;
  /** Variables for one deploy (`--env KEY=VALUE`). */
  set: Readonly<Record<string, string>>;
  local: boolean;
};

export type Evaluation = {
  /** There is one when nothing is wrong. */
  target?: Target;
  problems: ConfigProblem[];
  /** Placeholders without a value: no problem until this very target is asked for. */
  unfilled: ConfigProblem[];
};

/** One service in one environment: overrides merged, placeholders filled, parsed, judged by the rules. Pure. */
export function evaluate(source: Source, names: Names, inputs: Inputs): Evaluation {
  const typed = typedAt(source, names);
  const filled = fillIn(typed, names, inputs.variables);
  const environment = parseTolerant(
    Environment,
    filled.environment.value,
    among(filled.environment.unfilled),
  );
  const config = parseTolerant(
    Service,
    withSet(filled.config.value, inputs.set),
    among(filled.config.unfilled),
  );

  const ofEnvironment = (fault: Fault) =>
    locate(source, asTyped(fault, typed.environment), [...typed.environmentPath, ...fault.path]);
  const ofService = (fault: Fault) =>
    ofCommandLine(fault, inputs.set) ??
    locate(source, asTyped(fault, typed.config), origin(source, typed.base, typed.override, fault.path));

  const problems = [...environment.faults.map(ofEnvironment), ...config.faults.map(ofService)];
  const unfilled = [
    ...filled.environment.unfilled.map((gap) => ofEnvironment(asFault(gap))),
    ...filled.config.unfilled.map((gap) => ofService(asFault(gap))),
  ];
  if (config.value === undefined) return { problems, unfilled };
  if (filled.service !== undefined) {
    const subject = {
      environment: { name: names.environment, e2e: typed.environment['e2e'] === true },
      environments: Object.keys(asValues(valueAt(source.value, ['environments']))),
      service: filled.service,
      config: config.value,
      e2eNames: e2eNames(source.value),
    };
    problems.push(...applyRules(subject).map(ofService));
  }
  if (environment.value === undefined || filled.service === undefined) return { problems, unfilled };
  if (problems.length > 0 || unfilled.length > 0) return { problems, unfilled };
  const target = normalise(config.value, {
    key: names.service,
    service: filled.service,
    environment: { ...environment.value, name: names.environment },
    root: inputs.root,
    local: inputs.local,
  });
  return { target, problems, unfilled };
}

/** What was found is shown as it stands in the file: a variable that was filled in may be a secret. */
function asTyped(fault: Fault, typed: Values): Fault {
  const found = valueAt(typed, fault.path);
  return fault.found !== undefined && holdsPlaceholder(found) ? { ...fault, found: show(found) } : fault;
}

/** A variable of `--env` has no place in the file. */
function ofCommandLine({ path, message, allowed }: Fault, set: Inputs['set']): ConfigProblem | undefined {
  const [section, key = ''] = path;
  if (section !== 'env' || !Object.hasOwn(set, key)) return undefined;
  const said = { file: '--env', line: 0, column: 0, path: String(key), message };
  return allowed === undefined ? said : { ...said, allowed };
}

function among(unfilled: readonly Unfilled[]): (path: Path) => boolean {
  const paths = new Set(unfilled.map((gap) => gap.path.join('\n')));
  return (path) => paths.has(path.join('\n'));
}

const asFault = ({ path, message }: Unfilled): Fault => ({ path, part: 'value', message });
