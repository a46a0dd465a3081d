import type { E2eNames } from '../config/e2e-names.ts';
import type { Target } from '../config/target.ts';

/** A revision's variables and references as they would be in the target: what the config says and what is there already. */
export type Arriving = {
  env: Readonly<Record<string, string>>;
  /** Variable → the secret it comes from, by name or `projects/P/secrets/NAME`. */
  secrets: Readonly<Record<string, { secret: string; version: string }>>;
  cloudSql: readonly string[];
  /** Headers that the target's checks send. */
  headers: readonly string[];
};

/** Long enough not to be in two places by chance. */
const tellingLength = 8;

/** What opens a service to tests, and would do so in the target: names only, never values. Pure. */
export function e2eLeaks(
  source: Pick<Target, 'e2e'>,
  target: Pick<Target, 'e2e'>,
  arriving: Arriving,
  names: E2eNames,
): string[] {
  const keys = new Set([...names.env, ...Object.keys(source.e2e.env), ...Object.keys(target.e2e.env)]);
  const values = [...Object.values(source.e2e.env), ...Object.values(source.e2e.headers)].filter(
    (value) => value.length >= tellingLength,
  );
  const variables = [...Object.keys(arriving.env), ...Object.keys(arriving.secrets)];
  const sent = new Set(
    [...arriving.headers, ...Object.keys(target.e2e.headers)].map((name) => name.toLowerCase()),
  );
  return [
    ...variables.filter((key) => keys.has(key)).map((key) => `the variable ${key} opens it to tests`),
    ...Object.entries(arriving.env)
      .filter(([key, value]) => !keys.has(key) && values.includes(value))
      .map(([key]) => `the variable ${key} holds a value that opens it to tests`),
    ...[...sent]
      .filter((name) => names.headers.has(name))
      .map((name) => `the header ${name} is one for tests`),
  ];
}

/** What belongs to the source environment and would be used by the target. Pure. */
export function sourceLeaks(source: Target, target: Target, arriving: Arriving): string[] {
  const apart = source.ref.project !== target.ref.project;
  const own = new Set(Object.values(source.secrets).map(({ secret }) => secret));
  const secrets = Object.entries(arriving.secrets).filter(([, { secret }]) => {
    const project = /^projects\/([^/]+)\//.exec(secret)?.[1];
    if (project !== undefined) return apart ? project === source.ref.project : own.has(lastPart(secret));
    return !apart && own.has(secret);
  });
  const databases = arriving.cloudSql.filter(
    (instance) =>
      source.cloudSql.includes(instance) || (apart && instance.startsWith(`${source.ref.project}:`)),
  );
  const named = apart
    ? Object.entries(arriving.env).filter(([, value]) => namesProject(value, source.ref.project))
    : [];
  return [
    ...secrets.map(([key, { secret }]) => `${key} comes from ${source.environment}'s secret ${secret}`),
    ...databases.map((instance) => `${instance} is ${source.environment}'s database`),
    ...named.map(([key]) => `the variable ${key} names the project ${source.ref.project}`),
  ];
}

const lastPart = (name: string) => name.slice(name.lastIndexOf('/') + 1);

/** As a whole word: `chat-staging` is not in `chat-staging-2`. */
function namesProject(value: string, project: string): boolean {
  let at = value.indexOf(project);
  for (; at >= 0; at = value.indexOf(project, at + 1)) {
    const around = `${value[at - 1] ?? ' '}${value[at + project.length] ?? ' '}`;
    if (!/[a-z0-9-]/i.test(around)) return true;
  }
  return false;
}
