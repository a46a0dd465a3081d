import type { z } from 'zod';
import type { Path } from './document.ts';
import { type Fault, faultsOf } from './issues.ts';
import { valueAt, without } from './merge.ts';

/**
 * Parses, and says everything that is wrong. What is wrong is then left out and the rest parsed again, so that the
 * rules can judge it in the same run.
 */
export function parseTolerant<S extends z.ZodType>(
  schema: S,
  value: unknown,
  isUnfilled: (path: Path) => boolean,
): { value?: z.output<S>; faults: Fault[] } {
  const first = schema.safeParse(value);
  if (first.success) return { value: first.data, faults: [] };
  const faults = faultsOf(first.error, value);
  const rest = faults.reduce<unknown>((left, { path }) => without(left, culprit(value, path)), value);
  const second = schema.safeParse(rest);
  return {
    ...(second.success ? { value: second.data } : {}),
    faults: faults.filter((fault) => !isUnfilled(fault.path)),
  };
}

/** What to leave out: a key that is missing is the fault of the map that lacks it. */
function culprit(value: unknown, path: Path): Path {
  return valueAt(value, path) === undefined ? path.slice(0, -1) : path;
}
