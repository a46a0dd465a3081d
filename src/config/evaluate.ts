import type { Path, Source } from './document.ts';
import { e2eNames } from './e2e-names.ts';
import type { Fault } from './issues.ts';
import { asValues, merge, type Values, valueAt } from './merge.ts';
import { normalise, type Presets } from './normalise.ts';
import { locate, origin } from './origin.ts';
import { parseTolerant } from './parse.ts';
import { fill, type Known, type Unfilled, type Variables } from './placeholders.ts';
import type { ConfigProblem } from './problem.ts';
import { applyRules } from './rules/index.ts';
import { Environment } from './schema/file.ts';
import { Service } from './schema/service.ts';
import type { Target } from './target.ts';

export type Inputs = {
  /** The folder of sluice.yaml. */
  root: string;
  presets: Presets;
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
export function evaluate(
  source: Source,
  names: { environment: string; service: string },
  inputs: Inputs,
): Evaluation {
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

  const ofEnvironment = (fault: Fault) => locate(source, [...typed.environmentPath, ...fault.path], fault);
  const ofService = (fault: Fault) =>
    fault.path[0] === 'env' && Object.hasOwn(inputs.set, String(fault.path[1]))
      ? {
          file: '--env',
          line: 0,
          column: 0,
          path: String(fault.path[1]),
          message: fault.message,
          ...allowed(fault),
        }
      : locate(source, origin(source, typed.base, typed.override, fault.path), fault);

  const problems = [...environment.faults.map(ofEnvironment), ...config.faults.map(ofService)];
  const unfilled = [
    ...filled.environment.unfilled.map((gap) => ofEnvironment(asFault(gap))),
    ...filled.config.unfilled.map((gap) => ofService(asFault(gap))),
  ];
  if (environment.value === undefined || config.value === undefined) return { problems, unfilled };

  const where = { ...environment.value, name: names.environment };
  const subject = {
    environment: where,
    service: filled.service,
    config: config.value,
    e2eNames: e2eNames(source.value),
  };
  if (!unfilled.some((gap) => gap.path.endsWith('.name')))
    problems.push(...applyRules(subject).map(ofService));
  if (problems.length > 0 || unfilled.length > 0) return { problems, unfilled };
  const place = {
    key: names.service,
    service: filled.service,
    environment: where,
    root: inputs.root,
    local: inputs.local,
  };
  return { target: normalise(config.value, place, inputs.presets), problems, unfilled };
}

type Typed = { environmentPath: Path; environment: Values; base: Path; override: Path; config: Values };

function typedAt(source: Source, names: { environment: string; service: string }): Typed {
  const environmentPath = ['environments', names.environment];
  const base = ['services', names.service];
  const override = [...environmentPath, ...base];
  const { services: _overrides, ...environment } = asValues(valueAt(source.value, environmentPath));
  const config = asValues(merge(valueAt(source.value, base), valueAt(source.value, override)));
  return { environmentPath, environment, base, override, config };
}

/** In order: `{env}` for the place, the place for the service's name, all of it for the rest. */
function fillIn(typed: Typed, names: { environment: string; service: string }, variables: Variables) {
  const env = names.environment;
  const { project, region } = asValues(fill(typed.environment, { env }, variables).value);
  const place: Known = { env, ...textOf('project', project), ...textOf('region', region) };
  const name = fill({ name: typed.config['name'] ?? names.service }, place, variables);
  const service = String(asValues(name.value)['name']);
  const everything: Known = { ...place, service };
  const { name: _name, ...rest } = typed.config;
  const config = fill(rest, everything, variables);
  return {
    service,
    environment: fill(typed.environment, everything, variables),
    config: {
      value: { ...asValues(name.value), ...asValues(config.value) },
      unfilled: [...name.unfilled, ...config.unfilled],
    },
  };
}

function textOf(key: 'project' | 'region', value: unknown): Known {
  return typeof value === 'string' ? { [key]: value } : {};
}

/** A variable of the command line takes the place of the typed one, of an e2e one too. */
function withSet(config: Values, set: Readonly<Record<string, string>>): Values {
  const e2e = asValues(valueAt(config, ['e2e', 'env']));
  const isE2e = ([key]: [string, string]) => Object.hasOwn(e2e, key);
  const entries = Object.entries(set);
  if (entries.length === 0) return config;
  const env = Object.fromEntries(entries.filter((entry) => !isE2e(entry)));
  const replaced = Object.fromEntries(entries.filter(isE2e));
  return asValues(
    merge(config, { env, ...(Object.keys(replaced).length > 0 ? { e2e: { env: replaced } } : {}) }),
  );
}

function among(unfilled: readonly Unfilled[]): (path: Path) => boolean {
  const paths = new Set(unfilled.map((gap) => gap.path.join('\n')));
  return (path) => paths.has(path.join('\n'));
}

const asFault = ({ path, message }: Unfilled): Fault => ({ path, part: 'value', message });
const allowed = (fault: Fault) => (fault.allowed === undefined ? {} : { allowed: fault.allowed });
