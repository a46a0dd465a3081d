import type { CheckOutcome, FormerLog } from './context.ts';
import { type LogError, LogErrors } from './log-errors.ts';
import { errorText, oneLine } from './text.ts';

type Compared = Pick<CheckOutcome, 'reason' | 'entries' | 'figures'> & {
  status: 'passed' | 'failed' | 'inconclusive';
};

const errorsNamed = 3;
const entriesNamed = 10;

/** Which errors of a log the revisions that served before did not log. Without errors there is nothing to ask. */
export async function findRegressions(
  errors: LogErrors,
  former: FormerLog | 'none' | 'unknown',
  signal: AbortSignal,
): Promise<Compared> {
  if (errors.all.length === 0) return { status: 'passed', reason: 'no error' };
  const own = counted(errors.all);
  if (former === 'none') {
    const reason = `nothing served before to compare with: ${own} of its own, ${named(errors.all)}`;
    return { status: 'passed', reason };
  }
  if (former === 'unknown') {
    const reason = `what served before is not known, so nobody can tell which are new: ${own}, ${named(errors.all)}`;
    return { status: 'inconclusive', reason };
  }
  const who = former.revisions.join(', ');
  const known = await readErrors(former, signal);
  if (typeof known === 'string') {
    const reason = `the log of ${who} ${known}, so nobody can tell which are new: ${own}, ${named(errors.all)}`;
    return { status: 'inconclusive', reason };
  }
  const fresh = errors.newTo(known.errors);
  const bound = known.complete ? '' : ' (as far back as was read)';
  if (fresh.length === 0) return { status: 'passed', reason: `${own}, all known of ${who}${bound}` };
  return {
    status: 'failed',
    reason: `${counted(fresh)} that ${who} did not log${bound}: ${named(fresh)}`,
    entries: fresh.flatMap(({ entries }) => entries).slice(0, entriesNamed),
    figures: { newErrors: fresh.length },
  };
}

/** The errors of a log, or why they cannot be told. */
async function readErrors(
  former: FormerLog,
  signal: AbortSignal,
): Promise<{ errors: LogErrors; complete: boolean } | string> {
  try {
    const { entries, complete } = await former.read(signal);
    if (entries.length === 0) return 'holds no entries any more';
    const errors = new LogErrors();
    for (const entry of entries) errors.add(entry);
    return { errors, complete };
  } catch (error) {
    signal.throwIfAborted();
    return `cannot be read (${errorText(error)})`;
  }
}

function counted(errors: readonly LogError[]): string {
  return errors.length === 1 ? '1 error' : `${errors.length} errors`;
}

function named(errors: readonly LogError[]): string {
  const lines = errors
    .slice(0, errorsNamed)
    .map(({ sample, count }) => `"${oneLine(sample)}"${count > 1 ? ` ${count} times` : ''}`);
  const more = errors.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
