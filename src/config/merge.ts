import type { Path } from './document.ts';

export type Values = { [key: string]: unknown };

export function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at a path of unchecked values. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, step) => {
    if (Array.isArray(inner)) return inner[Number(step)];
    return isValues(inner) && Object.hasOwn(inner, step) ? inner[step] : undefined;
  }, value);
}

/** Maps are merged key by key, anything else is replaced, null removes. */
export function merge(base: unknown, override: unknown): unknown {
  if (override === undefined) return base;
  if (!isValues(override)) return override;
  const merged: Values = isValues(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(override)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value);
  }
  return merged;
}

/** Without what stands at a path; inside a list the whole list goes, so that the rest keeps its place. */
export function without(value: unknown, path: Path): unknown {
  const [step, ...rest] = path;
  if (step === undefined || !isValues(value)) return value;
  const { [step]: inner, ...others } = value;
  if (rest.length === 0 || Array.isArray(inner) || !isValues(inner)) return others;
  return { ...others, [step]: without(inner, rest) };
}

/** The map that this is; anything else is an empty one. */
export function asValues(value: unknown): Values {
  return isValues(value) ? value : {};
}
