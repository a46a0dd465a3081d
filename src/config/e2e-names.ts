import { isValues, valueAt } from './merge.ts';

export type E2eNames = {
  env: ReadonlySet<string>;
  /** In lower case. */
  headers: ReadonlySet<string>;
};

/** What the file declares under `e2e`, of any service in any environment. */
export function e2eNames(file: unknown): E2eNames {
  const services = [
    valueAt(file, ['services']),
    ...children(valueAt(file, ['environments'])).map(servicesOf),
  ];
  const declared = services.flatMap(children);
  const names = (part: string) => declared.flatMap((service) => keys(valueAt(service, ['e2e', part])));
  return {
    env: new Set(names('env')),
    headers: new Set(names('headers').map((name) => name.toLowerCase())),
  };
}

const servicesOf = (environment: unknown): unknown => valueAt(environment, ['services']);
const children = (value: unknown): unknown[] => (isValues(value) ? Object.values(value) : []);
const keys = (value: unknown): string[] => (isValues(value) ? Object.keys(value) : []);
