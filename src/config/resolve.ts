import { SluiceError } from '../errors.ts';
import { evaluate } from './evaluate.ts';
import { type Config, inputsOf } from './load.ts';
import { ConfigError, inOrder, nearest } from './problem.ts';
import type { Target } from './target.ts';

export type TargetOptions = {
  environment: string;
  /** Without it, every service. */
  service?: string;
  /** Variables for one deploy (`--env KEY=VALUE`); the same rules hold for them. */
  set?: Readonly<Record<string, string>>;
  /** `--local`. */
  local?: boolean;
};

/** The services of an environment, ready to be planned. Throws `SluiceError('usage')` with everything that is wrong. */
export function resolveTarget(config: Config, options: TargetOptions): Target[] {
  const { environment, service, set, local } = options;
  demand('environment', environment, config.environments);
  if (service !== undefined) demand('service', service, config.services);
  const services = service === undefined ? config.services : [service];
  const evaluations = services.map((name) =>
    evaluate(config.source, { environment, service: name }, inputsOf(config, set, local)),
  );
  const problems = inOrder(
    evaluations.flatMap((evaluation) => [...evaluation.problems, ...evaluation.unfilled]),
  );
  if (problems.length > 0) throw new ConfigError(problems);
  return evaluations.flatMap(({ target }) => target ?? []);
}

function demand(kind: 'environment' | 'service', name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const suggestion = nearest(name, known);
  throw new SluiceError('usage', {
    what: `There is no ${kind} "${name}".`,
    why: `sluice.yaml has ${known.join(', ')}.`,
    next: suggestion === undefined ? [] : [`did you mean ${suggestion}?`],
  });
}
