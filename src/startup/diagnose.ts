import type { FindingCategory } from './profile.ts';
import { type Signature, signatures, worthIt } from './signatures.ts';
import { asCause, asKey } from './text.ts';

/** What a line turned out to show. */
export type Diagnosis = {
  category: FindingCategory;
  /** Findings with the same key are one. */
  key: string;
  cause: string;
  hint: string;
  /** It ends a start by itself. */
  fatal: boolean;
  /** How near to the root cause this kind is: the lowest explains the others. */
  tier: number;
};

/** Explaining kinds first; a consequence never stands before its cause. */
export const tiers: Record<FindingCategory, number> = {
  memory: 1,
  import: 1,
  setting: 1,
  database: 1,
  port: 1,
  exception: 2,
  phase: 3,
  system: 4,
  error: 5,
  condition: 7,
  exit: 8,
  'crash-loop': 9,
  websocket: 10,
  request: 10,
  warning: 11,
};

/** What a line shows by its words alone; undefined when the table does not know it. */
export function diagnose(line: string): Diagnosis | undefined {
  if (!worthIt.test(line)) return undefined;
  for (const signature of signatures) {
    const match = signature.pattern.exec(line);
    if (match) return diagnosisOf(signature, match, line);
  }
  return undefined;
}

function diagnosisOf(signature: Signature, match: RegExpExecArray, line: string): Diagnosis {
  const { category, hint, fatal = false } = signature;
  const cause = asCause(signature.cause ? signature.cause(match) : line);
  const core = asKey(asCause(signature.cause ? cause : match[0]));
  const tier = category === 'port' && fatal ? 6 : tiers[category];
  return { category, key: `${category}|${core}`, cause, hint, fatal, tier };
}

/** A line that the table does not know, by the level it was written with. */
export function undiagnosed(
  line: string,
  category: 'warning' | 'error' | 'exception',
  fatal: boolean,
): Diagnosis {
  const cause = asCause(line);
  const hint = {
    warning: 'It did not stop the start; see whether it was expected.',
    error: 'Look at its entries for what was going on around it.',
    exception: 'Look at its entries for the frames that led there.',
  }[category];
  return {
    category,
    key: `${category}|${asKey(cause)}`,
    cause,
    hint,
    fatal,
    tier: fatal ? tiers.exception : tiers[category],
  };
}
