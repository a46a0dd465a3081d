import { type E2eNames, e2eNames } from './e2e-names.ts';
import { type GateSpec, gateOf } from './gate-spec.ts';
import type { Config } from './load.ts';
import { asValues, valueAt } from './merge.ts';
import { fill } from './placeholders.ts';
import { Environment } from './schema/file.ts';

/** What the file says of an environment itself, apart from its services. */
export type EnvironmentSpec = {
  name: string;
  gate: GateSpec;
  /** How a promoted image comes here. */
  image: 'reference' | 'copy';
  /** What any service of the file declares under `e2e`, in any environment. */
  e2eNames: E2eNames;
};

/** For an environment whose targets were resolved: whatever can be wrong with it has been told then. */
export function resolveEnvironment({ source, variables }: Config, name: string): EnvironmentSpec {
  const { services: _overrides, ...typed } = asValues(valueAt(source.value, ['environments', name]));
  const { gate, promotion } = Environment.parse(fill(typed, { env: name }, variables).value);
  return { name, gate: gateOf(gate), image: promotion.image, e2eNames: e2eNames(source.value) };
}
