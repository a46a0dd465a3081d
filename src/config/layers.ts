import type { Path, Source } from './document.ts';
import { asValues, merge, type Values, valueAt } from './merge.ts';
import { fill, type Known, type Variables } from './placeholders.ts';

export type Names = { environment: string; service: string };

/** What the file says of a service in an environment, and where: the service itself, and what the environment overrides. */
export type Typed = {
  environmentPath: Path;
  environment: Values;
  base: Path;
  override: Path;
  config: Values;
};

export function typedAt(source: Source, names: Names): Typed {
  const environmentPath = ['environments', names.environment];
  const base = ['services', names.service];
  const override = [...environmentPath, ...base];
  const { services: _overrides, ...environment } = asValues(valueAt(source.value, environmentPath));
  const config = asValues(merge(valueAt(source.value, base), valueAt(source.value, override)));
  return { environmentPath, environment, base, override, config };
}

/** In order: `{env}` for the place, the place for the service's name, all of it for the rest. */
export function fillIn(typed: Typed, names: Names, variables: Variables) {
  const env = names.environment;
  const { project, region } = asValues(fill(typed.environment, { env }, variables).value);
  const place: Known = { env, ...textOf('project', project), ...textOf('region', region) };
  const name = fill({ name: typed.config['name'] ?? names.service }, place, variables);
  const service = name.unfilled.length > 0 ? undefined : String(asValues(name.value)['name']);
  const everything: Known = service === undefined ? place : { ...place, service };
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
export function withSet(config: Values, set: Readonly<Record<string, string>>): Values {
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
