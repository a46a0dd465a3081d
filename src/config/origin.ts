import type { Path, Source } from './document.ts';
import type { Fault } from './issues.ts';
import { valueAt } from './merge.ts';
import type { ConfigProblem } from './problem.ts';

/** A fault at its place in the file. */
export function locate(source: Source, fault: Fault, path: Path = fault.path): ConfigProblem {
  const { part, path: _within, ...said } = fault;
  return { file: source.file, ...source.locate(path, part), path: dotted(path), ...said };
}

/** Where a path of a merged service was typed: under the environment's override, or under the service itself. */
export function origin(source: Source, base: Path, override: Path, path: Path): Path {
  const index = path.findIndex((step) => typeof step === 'number');
  // A list is replaced whole, so whoever typed the list typed everything in it.
  const decisive = index < 0 ? path : path.slice(0, index);
  const inOverride = depth(source.value, override, decisive);
  const inBase = depth(source.value, base, decisive);
  const overridden = inOverride > inBase || (inOverride === decisive.length && inOverride > 0);
  return [...(overridden ? override : base), ...path];
}

/** How many steps of `path` stand under `prefix`. */
function depth(value: unknown, prefix: Path, path: Path): number {
  const missing = path.findIndex(
    (_, at) => valueAt(value, [...prefix, ...path.slice(0, at + 1)]) === undefined,
  );
  return missing < 0 ? path.length : missing;
}

function dotted(path: Path): string {
  return path
    .map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`))
    .join('');
}
