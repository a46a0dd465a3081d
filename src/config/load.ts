import { dirname } from 'node:path';
import { parseSource, type Source } from './document.ts';
import { evaluate, type Inputs } from './evaluate.ts';
import { findConfig, shownPath } from './find.ts';
import { faultsOf } from './issues.ts';
import { asValues, valueAt } from './merge.ts';
import { locate } from './origin.ts';
import { holdsPlaceholder, type Variables } from './placeholders.ts';
import { ConfigError, type ConfigProblem, inOrder } from './problem.ts';
import { applyFileRules, servicesDistinct } from './rules/file.ts';
import { ConfigFile } from './schema/file.ts';

/** A sluice.yaml without a problem that its file alone can have. `resolveTarget` makes targets of it. */
export type Config = {
  /** Absolute. */
  file: string;
  /** Its folder, absolute. */
  root: string;
  services: string[];
  environments: string[];
  source: Source;
  /** For `${VAR}`. */
  variables: Variables;
};

export type LoadOptions = {
  /** `--config`. */
  file?: string;
  /** Where to look, upwards; absolute or relative to `cwd`. */
  dir: string;
  /** Paths in messages are relative to it. */
  cwd: string;
  /** The process environment, for `${VAR}`. */
  env: Variables;
};

/** Finds, reads and judges sluice.yaml: every environment of it, all problems at once. Throws `ConfigError`. */
export async function loadConfig({ file, dir, cwd, env }: LoadOptions): Promise<Config> {
  const found = await findConfig({ ...(file === undefined ? {} : { file }), dir, cwd });
  return parseConfig(found.text, { path: found.path, shown: shownPath(found.path, cwd), env });
}

/** The same without a disk. */
export function parseConfig(text: string, from: { path: string; shown: string; env: Variables }): Config {
  const parsed = parseSource(from.shown, text);
  if (!('source' in parsed)) throw new ConfigError(inOrder(parsed.problems));
  const config: Config = {
    file: from.path,
    root: dirname(from.path),
    services: namesIn(parsed.source, 'services'),
    environments: namesIn(parsed.source, 'environments'),
    source: parsed.source,
    variables: from.env,
  };
  const problems = inOrder([...shapeProblems(config.source), ...ruleProblems(config)]);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** What `evaluate` needs beyond the file. */
export function inputsOf(config: Config, set: Readonly<Record<string, string>> = {}, local = false): Inputs {
  return { root: config.root, variables: config.variables, set, local };
}

function shapeProblems(source: Source): ConfigProblem[] {
  const result = ConfigFile.safeParse(source.value);
  if (result.success) return [];
  return faultsOf(result.error, source.value)
    .filter((fault) => !holdsPlaceholder(valueAt(source.value, fault.path)))
    .map((fault) => locate(source, fault));
}

function ruleProblems(config: Config): ConfigProblem[] {
  const { source } = config;
  const evaluations = config.environments.flatMap((environment) =>
    config.services.map((service) => evaluate(source, { environment, service }, inputsOf(config))),
  );
  const targets = evaluations.flatMap(({ target }) => target ?? []);
  return [
    ...[...applyFileRules(source.value), ...servicesDistinct(targets)].map((fault) => locate(source, fault)),
    ...evaluations.flatMap(({ problems }) => problems),
  ];
}

function namesIn(source: Source, section: 'services' | 'environments'): string[] {
  return Object.keys(asValues(valueAt(source.value, [section])));
}
