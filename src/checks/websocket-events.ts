/** An event that came, and its milliseconds since the message was sent. */
export type Heard = { name: string; ms: number };

export type Score = {
  /** Expected events that came, in the order in which they came. */
  seen: Heard[];
  missing: string[];
  /** Other events, each name once. */
  others: string[];
  /** `b came after c`: what first broke the order; '' when nothing did. */
  disorder: string;
};

/** Holds the events that came against those that must come, each as often as it is expected. */
export function scoreEvents(expected: readonly string[], heard: readonly Heard[]): Score {
  const missing = [...expected];
  const seen: Heard[] = [];
  const others = new Set<string>();
  for (const event of heard) {
    const at = missing.indexOf(event.name);
    if (at < 0) others.add(event.name);
    else seen.push(...missing.splice(at, 1).map(() => event));
  }
  return { seen, missing, others: [...others], disorder: firstDisorder(expected, seen) };
}

/** What came must be a part of what is expected, in its order. */
function firstDisorder(expected: readonly string[], seen: readonly Heard[]): string {
  let reached = 0;
  for (const [index, { name }] of seen.entries()) {
    const at = expected.indexOf(name, reached);
    if (at < 0) return `${name} came after ${seen[index - 1]?.name}`;
    reached = at + 1;
  }
  return '';
}
