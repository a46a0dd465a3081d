type Lookup =
  | { found: true; value: unknown }
  /** The part that is not there, what stands above it, and what that holds instead. */
  | { found: false; missing: string; above: string; instead: string };

const maxKeysNamed = 8;

/** Follows a dotted path (`components.db.status`, `items.0.name`) through own keys and array indices. */
export function lookUp(document: unknown, path: string): Lookup {
  let value = document;
  const walked: string[] = [];
  for (const part of path.split('.')) {
    const next = child(value, part);
    if (!next) return { found: false, missing: part, above: walked.join('.'), instead: contentOf(value) };
    value = next.value;
    walked.push(part);
  }
  return { found: true, value };
}

function child(value: unknown, part: string): { value: unknown } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    const index = /^\d{1,9}$/.test(part) ? Number(part) : -1;
    return index >= 0 && index < value.length ? { value: value[index] } : undefined;
  }
  const own = Object.getOwnPropertyDescriptor(value, part);
  return own && { value: own.value };
}

function contentOf(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'nothing';
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an empty object';
  const named = keys.slice(0, maxKeysNamed).join(', ');
  return keys.length > maxKeysNamed ? `${named}, … (${keys.length} keys)` : named;
}
