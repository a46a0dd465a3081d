import type { ImportsCheck } from '../config/check-spec.ts';
import type { CheckContext, CheckOutcome } from './context.ts';
import { oneLine } from './text.ts';

/** An import that leads nowhere, in words: `src/app.js:3 imports "./gone.js": …`. */
export type Broken = string;

/** What was looked at and what is wrong with it. */
export type Imported = { looked: string; broken: Broken[] };

const listed = 20;

/** Every import of the source must lead somewhere: found out before anything is built. */
export async function checkImports(
  spec: ImportsCheck,
  context: CheckContext,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const { looked, broken } =
    spec.language === 'node'
      ? await (await import('./imports/node.ts')).nodeImports(spec, context, signal)
      : await (await import('./imports/python.ts')).pythonImports(spec, context, signal);
  if (broken.length === 0) return { status: 'passed', reason: looked };
  const lines = broken.map((line) => oneLine(line, 300));
  const [first] = lines;
  const more = broken.length > 1 ? `; and ${broken.length - 1} more` : '';
  return {
    status: 'failed',
    reason: `${first}${more}`,
    figures: { broken: broken.length },
    ...(lines.length > 1 ? { output: lines.slice(0, listed) } : {}),
  };
}
