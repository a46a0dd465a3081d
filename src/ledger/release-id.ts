const pattern = /^(\d{8}T\d{6})-([a-z0-9][a-z0-9-]{0,62})-([a-z0-9]{4})$/;

/**
 * `20261122T023105-staging-k3f9`: the second it began (UTC), its environment and four random letters, so
 * that ids sort by time. `random` gives 0 ≤ x < 1.
 */
export function newReleaseId(environment: string, at: Date, random: () => number): string {
  const time = at
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/[-:]/g, '');
  const suffix = Math.floor(random() * 36 ** 4)
    .toString(36)
    .padStart(4, '0');
  const id = `${time}-${environment}-${suffix}`;
  if (!pattern.test(id)) throw new Error(`'${environment}' cannot be part of a release id`);
  return id;
}

/** undefined when it is no release id. */
export function environmentOf(id: string): string | undefined {
  return pattern.exec(id)?.[2];
}
