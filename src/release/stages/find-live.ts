import type { LiveRevision, LiveService } from '../../cloud/ports/index.ts';
import { SluiceError } from '../../errors.ts';
import { candidateTag } from '../../plan/marks.ts';
import { describeTraffic, namedTraffic, onlyServing } from '../../plan/traffic.ts';
import { type Door, doorTo } from '../requests.ts';
import { call, type ServiceRun, typed } from '../run.ts';
import { publicUrl } from './traffic.ts';

/** What there is to check without a deploy. */
export type Found = { live: LiveService; made: LiveRevision; door: Door };

/** The one revision that serves, at the service's URL. */
export async function findServing(run: ServiceRun): Promise<Found> {
  const live = await readLive(run);
  const revision = onlyServing(namedTraffic(live));
  if (!revision) {
    const what = `No single revision of ${run.target.key} serves: ${describeTraffic(namedTraffic(live))}.`;
    const why = 'A checklist speaks of one revision.';
    throw new SluiceError('preflight', { what, why, next: [typed(run, 'status')] });
  }
  const made = await readMade(run, revision);
  reportObserved(run, live, revision, made.template.image);
  return { live, made, door: doorTo(run, live, publicUrl(run, live)) };
}

/** The revision with the candidate's tag, at its own URL. */
export async function findCandidate(run: ServiceRun): Promise<Found> {
  const live = await readLive(run);
  const tagged = live.actualTraffic.find(({ tag, uri }) => tag === candidateTag && uri);
  if (!tagged?.uri) {
    throw new SluiceError('preflight', {
      what: `${run.target.key} has no candidate in ${run.target.environment}: no revision has the tag \`${candidateTag}\`.`,
      next: [typed(run, 'check'), typed(run, 'deploy')],
    });
  }
  const { revision, uri } = tagged;
  const made = await readMade(run, revision);
  const serving = onlyServing(namedTraffic(live)) ?? '';
  reportObserved(run, live, serving, serving ? (await readMade(run, serving)).template.image : '');
  run.journal.emit({
    type: 'candidate.observed',
    service: run.target.key,
    revision,
    etag: live.etag,
    url: live.uri,
    candidateUrl: uri,
    image: made.template.image,
  });
  return { live, made, door: doorTo(run, live, uri) };
}

export async function readLive(run: ServiceRun): Promise<LiveService> {
  const live = await run.cloud.run.readService(run.target.ref, call(run));
  if (live) return live;
  throw new SluiceError('preflight', {
    what: `${run.target.key} does not exist in ${run.target.environment}: there is nothing to check.`,
    next: [typed(run, 'deploy')],
  });
}

async function readMade(run: ServiceRun, name: string): Promise<LiveRevision> {
  const found = await run.cloud.run.readRevision(run.target.ref, name, call(run));
  if (found) return found;
  const what = `The revision ${name} of ${run.target.key} does not exist any more.`;
  throw new SluiceError('preflight', { what, next: [typed(run, 'status')] });
}

function reportObserved(run: ServiceRun, live: LiveService, serving: string, image: string): void {
  run.journal.emit({
    type: 'service.observed',
    service: run.target.key,
    url: live.uri,
    serving,
    image,
    traffic: live.actualTraffic,
    etag: live.etag,
  });
}
