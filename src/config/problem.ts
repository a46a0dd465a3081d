import { closest, distance } from 'fastest-levenshtein';
import { SluiceError } from '../errors.ts';

/** Something wrong in sluice.yaml or on the command line, with its place. Lines and columns count from 1. */
export type ConfigProblem = {
  /** As a person would open it; `--env` for a value of the command line, which has line and column 0. */
  file: string;
  line: number;
  column: number;
  /** Dotted: `services.chat.container.port`; '' is the whole file. */
  path: string;
  /** What is wrong, in a few words. */
  message: string;
  found?: string;
  allowed?: string;
  suggestion?: string;
};

const shownAtMost = 50;

/** Every problem of a config at once; `--json` prints `problems`. */
export class ConfigError extends SluiceError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const file = [...new Set(problems.map((problem) => problem.file))].join(' and ');
    const count = problems.length === 1 ? 'A problem' : `${problems.length} problems`;
    const rest = problems.length - shownAtMost;
    super('usage', {
      what: `${count} in ${file}:`,
      why: [
        ...problems.slice(0, shownAtMost).map(describeConfigProblem),
        ...(rest > 0 ? [`\n… and ${rest} more`] : []),
      ].join('\n'),
    });
    this.problems = problems;
  }
}

function describeConfigProblem(problem: ConfigProblem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file;
  const lines = [`\n${place}  ${problem.path}`.trimEnd(), `  ${problem.message}`];
  if (problem.found !== undefined) lines.push(`  found: ${problem.found}`);
  if (problem.allowed !== undefined) lines.push(`  allowed: ${problem.allowed}`);
  if (problem.suggestion !== undefined) lines.push(`  did you mean ${problem.suggestion}?`);
  return lines.join('\n');
}

/** In the order of the file, each once. */
export function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const once = new Map<string, ConfigProblem>();
  for (const problem of problems) {
    const same = `${problem.file}:${problem.line}:${problem.column}:${problem.message}`;
    if (!once.has(same)) once.set(same, problem);
  }
  return [...once.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** The near miss among what is allowed, if there is one. */
export function nearest(typed: string, allowed: readonly string[]): string | undefined {
  if (typed === '' || typed.length > 80 || allowed.length === 0) return undefined;
  const candidate = closest(typed, [...allowed]);
  const tolerated = Math.ceil(candidate.length / 3);
  return distance(typed.toLowerCase(), candidate.toLowerCase()) <= tolerated ? candidate : undefined;
}
