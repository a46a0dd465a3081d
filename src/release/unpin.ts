import type { Verdict } from '../gate/verdict.ts';
import { unpinEdit } from '../plan/edits.ts';
import { describeHold } from '../plan/hold.ts';
import { readMarks } from '../plan/marks.ts';
import { namedTraffic, onlyServing } from '../plan/traffic.ts';
import { diagnose, reasonOf } from './diagnose.ts';
import { stagesOf } from './events.ts';
import { writeGuarded } from './guarded-write.ts';
import { call, type ServiceRun } from './run.ts';
import { conductRelease, type RunbookDeps, type RunbookRequest } from './runbook.ts';
import { end } from './service-end.ts';
import type { ReleaseState } from './state.ts';

/** Lifts the holds that rollbacks left. It moves no traffic: the next verified candidate does. */
export function unpin(
  request: Omit<RunbookRequest, 'runbook' | 'started'>,
  deps: RunbookDeps,
): Promise<ReleaseState> {
  return conductRelease({ ...request, runbook: 'unpin' }, deps, {
    work: async (runs) => {
      await Promise.all(runs.map(unpinService));
    },
    judge: judgeUnpin,
  });
}

async function unpinService(run: ServiceRun): Promise<void> {
  try {
    const lifted = await run.journal.stage(run.target.key, 'observe', async () => {
      const value = await lift(run);
      return { value, note: value ? 'the hold is lifted' : 'nothing is held' };
    });
    end(run, {
      outcome: lifted ? 'deployed' : 'unchanged',
      reason: 'done',
      rolledBack: false,
      diagnosis: null,
    });
  } catch (error) {
    const reason = run.signal.aborted ? reasonOf(run.signal.reason) : reasonOf(error, 'observe');
    const diagnosis = diagnose(error, undefined, () => [], { command: run.command, stages: stagesOf.unpin });
    end(run, { outcome: 'failed', reason, rolledBack: false, diagnosis: { ...diagnosis, notDone: [] } });
  }
}

/** False when nothing is held. */
async function lift(run: ServiceRun): Promise<boolean> {
  const service = run.target.key;
  const live = await run.cloud.run.readService(run.target.ref, call(run));
  run.seen.live = live;
  if (live) {
    run.journal.emit({
      type: 'service.observed',
      service,
      url: live.uri,
      serving: onlyServing(namedTraffic(live)) ?? '',
      image: '',
      traffic: live.actualTraffic,
      etag: live.etag,
    });
  }
  const hold = live && readMarks(live.annotations).hold;
  if (!hold) return false;
  const { live: after } = await writeGuarded(run, {
    edit: () => unpinEdit(run.journal.release),
    intent: (etag) => ({ type: 'hold.intended', service, lifts: hold, etag }),
  });
  run.journal.emit({ type: 'hold.lifted', service, hold, etag: after.etag, generation: after.generation });
  return true;
}

function judgeUnpin(state: ReleaseState): Verdict {
  const conditions = [...state.services.values()].map(({ service, hold, finished }) => ({
    id: `${service}.hold`,
    met: finished?.outcome === 'deployed' || finished?.outcome === 'unchanged',
    reason: hold
      ? `lifted: it was placed ${describeHold(hold.hold)}`
      : (finished?.diagnosis?.cause ?? 'nothing is held'),
  }));
  return { decision: conditions.every(({ met }) => met) ? 'ready' : 'blocked', conditions };
}
