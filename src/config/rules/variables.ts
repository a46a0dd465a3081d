import { fault, type Rule } from './rule.ts';

/** What bypasses authentication for tests may stand only where the environment allows it, by whatever road it comes. */
export const e2eOnlyWhereAllowed: Rule = ({ environment, config, e2eNames }) => {
  if (environment.e2e) return [];
  const why = `bypasses authentication, and the environment ${environment.name} does not allow e2e`;
  const where = { part: 'key', allowed: 'only where the environment says e2e: true' } as const;
  return [
    ...Object.keys(config.e2e.env).map((key) => fault(['e2e', 'env', key], `${key} ${why}`, where)),
    ...Object.keys(config.e2e.headers).map((key) => fault(['e2e', 'headers', key], `${key} ${why}`, where)),
    ...(['env', 'secrets'] as const).flatMap((section) =>
      Object.keys(config[section])
        .filter((key) => e2eNames.env.has(key))
        .map((key) => fault([section, key], `${key} ${why}`, where)),
    ),
    ...config.checklist.flatMap((check, index) =>
      Object.keys('headers' in check ? check.headers : {})
        .filter((key) => e2eNames.headers.has(key.toLowerCase()))
        .map((key) => fault(['checklist', index, 'headers', key], `${key} ${why}`, where)),
    ),
  ];
};

const reserved = /^(PORT|K_.*|X_GOOGLE_.*|CLOUD_RUN_.*)$/;

/** Cloud Run sets these itself and refuses them from others. */
export const envNamesNotReserved: Rule = ({ config }) =>
  [
    ...Object.keys(config.env).map((key) => ['env', key]),
    ...Object.keys(config.secrets).map((key) => ['secrets', key]),
    ...Object.keys(config.e2e.env).map((key) => ['e2e', 'env', key]),
  ]
    .filter((path) => reserved.test(path.at(-1) ?? ''))
    .map((path) =>
      fault(path, `${path.at(-1)} is set by Cloud Run`, {
        part: 'key',
        allowed: 'any name but PORT, K_*, X_GOOGLE_*, CLOUD_RUN_*',
      }),
    );

/** A name has one source: plain, secret or e2e. */
export const secretsAndEnvDisjoint: Rule = ({ config }) => {
  const { env, secrets, e2e } = config;
  const twice = (path: string[], others: [string, object][]) =>
    others
      .filter(([, other]) => Object.hasOwn(other, path.at(-1) ?? ''))
      .map(([name]) => fault(path, `${path.at(-1)} stands under ${name} too`, { part: 'key' }));
  return [
    ...Object.keys(secrets).flatMap((key) => twice(['secrets', key], [['env', env]])),
    ...Object.keys(e2e.env).flatMap((key) =>
      twice(
        ['e2e', 'env', key],
        [
          ['env', env],
          ['secrets', secrets],
        ],
      ),
    ),
  ];
};

export const cloudSqlNamesAnInstance: Rule = ({ config }) =>
  config.cloudSql.flatMap((instance, index) =>
    /^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]:[a-z]+-[a-z]+\d+:[a-z][a-z0-9-]*$/.test(instance)
      ? []
      : [
          fault(['cloudSql', index], 'no Cloud SQL instance', {
            found: `"${instance}"`,
            allowed: 'PROJECT:REGION:INSTANCE such as my-project:us-central1:chat-db',
          }),
        ],
  );
