import type { Target } from './config/target.ts';

const shortestSecret = 8;

/** Replaces known secret values in every string of an event, whatever road they came by. Pure. */
export function createRedactor(secrets: Iterable<string>): <T>(value: T) => T {
  // Short values (`true`, `staging`) would blank out ordinary words, and protect nothing.
  const known = [...new Set(secrets)].filter((secret) => secret.length >= shortestSecret);
  known.sort((a, b) => b.length - a.length);
  const scrub = (value: unknown): unknown => {
    if (typeof value === 'string') {
      return known.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), value);
    }
    if (Array.isArray(value)) return value.map(scrub);
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, scrub(item)]));
    }
    return value;
  };
  // The shape is kept, only text inside strings changes: the type stays the same.
  return known.length === 0 ? (value) => value : <T>(value: T) => scrub(value) as T;
}

/** What opens services to end-to-end tests: in no event, and masked wherever a log is kept. */
export function e2eSecrets(targets: readonly Pick<Target, 'e2e'>[]): string[] {
  return targets.flatMap(({ e2e }) => Object.values({ ...e2e.env, ...e2e.headers }));
}
