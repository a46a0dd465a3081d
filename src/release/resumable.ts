import { SluiceError } from '../errors.ts';
import type { RunbookDeps, RunbookRequest } from './runbook.ts';
import { foldAll, type ReleaseState } from './state.ts';

type Asked = { environment: string; command: string };
type Where = Pick<RunbookDeps, 'ledger' | 'release'> & { cloud: Pick<RunbookDeps['cloud'], 'kind'> };

/** What is recorded of a release that may be gone on with, or that has ended. Throws why it may not. */
export async function readableRecord(
  { command }: Asked,
  { ledger, release, cloud }: Where,
): Promise<{ state: ReleaseState; runbook: RunbookRequest['runbook'] }> {
  const record = await ledger.read(release);
  if (!record) {
    throw new SluiceError('usage', {
      what: `There is no release ${release} in this ledger.`,
      next: [command.replace(/^sluice \S+/, 'sluice history')],
    });
  }
  const state = foldAll(release, record.events);
  const { started } = state;
  if (started && state.finished) return { state, runbook: started.runbook };
  if (!started || !record.intact) {
    throw new SluiceError('conflict', {
      what: `The record of release ${release} ${record.chained ? 'has been damaged' : 'does not show whether it is whole'}, so nobody knows how far it came.`,
      why: record.problems[0] ? `${record.problems[0].segment}: ${record.problems[0].why}` : '',
      next: [`${command}   (begins anew from what is live)`],
    });
  }
  if (started.cloud !== cloud.kind) {
    throw new SluiceError('usage', {
      what: `Release ${release} ran on ${started.cloud === 'local' ? 'the local cloud' : 'Google Cloud'}.`,
      next: [`run the command again ${started.cloud === 'local' ? 'with' : 'without'} --local`],
    });
  }
  if (started.runbook !== 'deploy' && started.runbook !== 'promote') {
    const again = started.command ?? command;
    throw new SluiceError('usage', {
      what: `Release ${release} is a ${started.runbook}; only a deploy or a promotion is gone on with.`,
      why: `A ${started.runbook} starts from what is live, so that it is simply typed again.`,
      next: [again],
    });
  }
  return { state, runbook: started.runbook };
}
