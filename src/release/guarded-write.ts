import { CloudError, type CloudErrorKind, type LiveService, type ServiceEdit } from '../cloud/ports/index.ts';
import { SluiceError } from '../errors.ts';
import { describeTraffic, sameTraffic } from '../plan/traffic.ts';
import type { DurableEvent } from './events.ts';
import { until } from './pause.ts';
import { call, type ServiceRun, typed } from './run.ts';

export type GuardedWrite = {
  /** Made from the fresh read, so that nothing foreign is lost. */
  edit: (fresh: LiveService | undefined) => ServiceEdit;
  /** The write-ahead event. */
  intent: (etag: string) => DurableEvent;
};

/** `operation` is null when its name was lost with the reply. */
export type Written = { operation: string | null; live: LiveService };

/** A refused etag may only mean that Cloud Run itself moved on; a lost reply may have taken effect. */
const readAgainAfter: ReadonlySet<CloudErrorKind> = new Set([
  'conflict',
  'already-exists',
  'outcome-unknown',
]);
const attempts = 3;
/** How long an accepted write may take to be seen by a read. */
const effectWithinMs = 15_000;
/** How long a lost write is looked for, and how long a read may be older than what was seen before. */
const newsWithinMs = 3_000;

/**
 * Read, compare with what this release last saw, record the intent, write with the fresh etag, read back.
 * Somebody else's change stops it (conflict). A lost reply is answered by reading; every try goes under
 * an etag read before, so that all together take effect at most once.
 */
export async function writeGuarded(run: ServiceRun, write: GuardedWrite): Promise<Written> {
  const tried: ServiceEdit[] = [];
  for (let attempt = 1; ; attempt++) {
    const fresh = await readFresh(run);
    const landed = fresh && adoptOwn(run, fresh);
    if (fresh && landed && tried.includes(landed)) return { operation: null, live: fresh };
    refuseForeignChange(run, fresh);
    const edit = write.edit(fresh);
    run.journal.emit(write.intent(fresh?.etag ?? ''));
    await run.journal.flush();
    tried.push(edit);
    const answer = await send(run, fresh, edit);
    if (!(answer instanceof CloudError)) return { operation: answer, live: await readBack(run) };
    if (attempt === attempts) throw undecided(run, answer);
    if (answer.kind !== 'outcome-unknown') continue;
    await awaitUnanswered(run);
    const { live, unanswered } = run.seen;
    if (live && !unanswered.includes(edit)) return { operation: null, live };
  }
}

/** The operation's name, or the refusal after which reading again may help. */
async function send(
  run: ServiceRun,
  fresh: LiveService | undefined,
  edit: ServiceEdit,
): Promise<string | CloudError> {
  const { seen } = run;
  seen.unanswered.push(edit);
  try {
    return fresh
      ? await run.cloud.run.updateService(fresh, edit, call(run))
      : await run.cloud.run.createService(run.target.ref, edit, call(run));
  } catch (error) {
    const known = error instanceof CloudError;
    // Any other refusal says that nothing was written.
    if (known && error.kind !== 'outcome-unknown') {
      seen.unanswered = seen.unanswered.filter((other) => other !== edit);
    }
    if (known && readAgainAfter.has(error.kind)) return error;
    throw error;
  }
}

/** Looks for the effect of a write whose answer never came. True when this release has written, now or before. */
export async function awaitUnanswered(run: ServiceRun): Promise<boolean> {
  const { seen, target } = run;
  if (seen.unanswered.length === 0) return seen.wrote;
  await until(
    run,
    () => run.cloud.run.readService(target.ref, call(run)),
    (live) => live !== undefined && adoptOwn(run, live) !== undefined,
    { everyMs: 200, withinMs: newsWithinMs },
  );
  return seen.wrote;
}

/** The service as it is now, and not as it was before what this release has seen of it already. */
async function readFresh(run: ServiceRun): Promise<LiveService | undefined> {
  const { value } = await until(
    run,
    () => run.cloud.run.readService(run.target.ref, call(run)),
    (live) => generationOf(live) >= generationOf(run.seen.live),
    { everyMs: 200, withinMs: newsWithinMs },
  );
  return value;
}

/** The service as it is after our write; a stale read is read again. */
async function readBack(run: ServiceRun): Promise<LiveService> {
  const { value, met } = await until(
    run,
    () => run.cloud.run.readService(run.target.ref, call(run)),
    (live) => live !== undefined && (adoptOwn(run, live) !== undefined || overtaken(run, live)),
    { everyMs: 200, withinMs: effectWithinMs },
  );
  if (value && run.seen.live === value) return value;
  if (met) throw foreignChange(run, value);
  throw new SluiceError('unknown', {
    what: `The write to ${run.target.ref.service} was accepted but cannot be read back.`,
    next: [typed(run, 'status')],
  });
}

/** Takes a service into what this release has seen when its last change is one of our own unanswered writes. */
function adoptOwn(run: ServiceRun, live: LiveService): ServiceEdit | undefined {
  if (overtaken(run, live)) return undefined;
  const own = run.seen.unanswered.find((edit) => bears(live, edit));
  if (own) Object.assign(run.seen, { live, wrote: true, unanswered: [] });
  return own;
}

function bears(live: LiveService, edit: ServiceEdit): boolean {
  const marked = Object.entries(edit.annotations ?? {});
  return (
    marked.every(([name, value]) => (live.annotations[name] ?? null) === value) &&
    (!edit.template || live.templateRevision === edit.template.revision) &&
    (!edit.traffic || sameTraffic(edit.traffic, live.traffic, live.latestReadyRevision))
  );
}

/** One write of ours moves the generation by one at most: it counts every change of the desired state. */
function overtaken(run: ServiceRun, live: LiveService): boolean {
  return generationOf(live) > generationOf(run.seen.live) + 1n;
}

/** Throws when the service is no longer as this release last saw it. */
export function refuseForeignChange(run: ServiceRun, fresh: LiveService | undefined): void {
  if (run.seen.live?.generation !== fresh?.generation) throw foreignChange(run, fresh);
}

function foreignChange(run: ServiceRun, fresh: LiveService | undefined): SluiceError {
  const { service } = run.target.ref;
  const before = run.seen.live;
  const now = fresh ? `It now desires: ${describeTraffic(fresh.traffic)}.` : 'It has been deleted.';
  return new SluiceError('conflict', {
    what: `Somebody else changed ${service} during this release, so nothing more was written.`,
    why: before ? `${now} (generation ${before.generation} → ${fresh?.generation ?? 'none'})` : now,
    next: [typed(run, 'status'), run.command],
  });
}

function generationOf(live: LiveService | undefined): bigint {
  return BigInt(live?.generation || 0);
}

function undecided(run: ServiceRun, error: CloudError): SluiceError {
  const unknown = error.kind === 'outcome-unknown';
  return new SluiceError(
    unknown ? 'unknown' : 'conflict',
    {
      what: `The write to ${run.target.ref.service} ${unknown ? 'has an unknown outcome' : 'was refused'} after ${attempts} tries.`,
      why: error.said,
      next: [typed(run, 'status')],
    },
    { cause: error },
  );
}
