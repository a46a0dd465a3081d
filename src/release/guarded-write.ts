import { CloudError, type CloudErrorKind, type LiveService, type ServiceEdit } from '../cloud/ports/index.ts';
import { SluiceError } from '../errors.ts';
import { marks } from '../plan/marks.ts';
import { describeTraffic } from '../plan/traffic.ts';
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
const effectWithinMs = 15_000;

/**
 * Read, compare with what this release last saw, record the intent, write with the fresh etag, read back.
 * Somebody else's change stops it (conflict). A lost reply is answered by reading; every try goes under
 * an etag read before, so that all together take effect at most once.
 */
export async function writeGuarded(run: ServiceRun, write: GuardedWrite): Promise<Written> {
  const landed = (operation: string | null, live: LiveService): Written => {
    run.seen.live = live;
    run.seen.wrote = true;
    return { operation, live };
  };
  let sent: ServiceEdit | undefined;
  for (let attempt = 1; ; attempt++) {
    const fresh = await run.cloud.run.readService(run.target.ref, call(run));
    if (sent && fresh && bears(fresh, sent)) return landed(null, fresh);
    refuseForeignChange(run, run.seen.live, fresh);
    const edit = write.edit(fresh);
    run.journal.emit(write.intent(fresh?.etag ?? ''));
    await run.journal.flush();
    try {
      const operation = fresh
        ? await run.cloud.run.updateService(fresh, edit, call(run))
        : await run.cloud.run.createService(run.target.ref, edit, call(run));
      return landed(operation, await readBack(run, edit));
    } catch (error) {
      if (!(error instanceof CloudError) || !readAgainAfter.has(error.kind)) throw error;
      if (attempt === attempts) throw undecided(run, error);
      sent = edit;
      const effect = error.kind === 'outcome-unknown' ? await effectOf(run, edit) : undefined;
      if (effect) return landed(null, effect);
    }
  }
}

/** The service as it is after our write; a stale read is read again. */
async function readBack(run: ServiceRun, edit: ServiceEdit): Promise<LiveService> {
  const live = await effectOf(run, edit);
  if (live) return live;
  throw new SluiceError('unknown', {
    what: `The write to ${run.target.ref.service} was accepted but cannot be read back.`,
    why: 'Somebody else may have written in the same moment.',
    next: [typed(run, 'status')],
  });
}

async function effectOf(run: ServiceRun, edit: ServiceEdit): Promise<LiveService | undefined> {
  const { value, met } = await until(
    run,
    () => run.cloud.run.readService(run.target.ref, call(run)),
    (live) => live !== undefined && bears(live, edit),
    { everyMs: 500, withinMs: effectWithinMs },
  );
  return met ? value : undefined;
}

function bears(live: LiveService, edit: ServiceEdit): boolean {
  const wanted = edit.annotations ?? {};
  return (
    live.annotations[marks.release] === wanted[marks.release] &&
    live.annotations[marks.state] === wanted[marks.state] &&
    (!edit.template || live.templateRevision === edit.template.revision)
  );
}

/** The generation counts every change of the desired state, whoever makes it. */
function refuseForeignChange(
  run: ServiceRun,
  seen: LiveService | undefined,
  fresh: LiveService | undefined,
): void {
  if (seen?.generation === fresh?.generation) return;
  const { service } = run.target.ref;
  const now = fresh ? `It now desires: ${describeTraffic(fresh.traffic)}.` : 'It has been deleted.';
  throw new SluiceError('conflict', {
    what: `Somebody else changed ${service} during this release, so nothing more was written.`,
    why: seen ? `${now} (generation ${seen.generation} → ${fresh?.generation ?? 'none'})` : now,
    next: [typed(run, 'status'), run.command],
  });
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
