/** Orders two RFC 3339 UTC times, whatever the number of their fraction's digits. */
export function compareTimes(a: string, b: string): number {
  if (a === b) return 0;
  if (a.length === b.length) return a < b ? -1 : 1;
  const left = bare(a);
  const right = bare(b);
  return left === right ? 0 : left < right ? -1 : 1;
}

/** Without the Z, a shorter fraction sorts before a longer one that begins like it. */
const bare = (time: string): string => (time.endsWith('Z') ? time.slice(0, -1) : time);

/** Where something was seen: the order of entries is by time, then insertId, as Cloud Logging has it. */
export type Sighting = { at: string; id: string };

export function compareSightings(a: Sighting, b: Sighting): number {
  return compareTimes(a.at, b.at) || (a.id === b.id ? 0 : a.id < b.id ? -1 : 1);
}
