import { SluiceError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { environmentOf } from '../ledger/release-id.ts';
import type { Approval, SaidBy, Statements } from '../ledger/statements.ts';
import { foldAll, type ReleaseState } from './state.ts';

export type ApproveRequest = {
  release: string;
  note: string;
  by: SaidBy;
  /** `history staging` → the command as it is typed here. */
  type: (words: string) => string;
};

type ApproveDeps = { ledger: Ledger; statements: Statements; now: () => Date };

/** What was recorded, what it is about, and everybody who has approved the release by now. */
export type ApprovedRelease = {
  approval: Approval;
  services: { service: string; revision: string | null; digest: string | null }[];
  approvals: Approval[];
};

const longestNote = 2_000;

/** The environment that a release's id names. Throws `usage` when it is no id. */
export function environmentOfRelease(release: string): string {
  const environment = environmentOf(release);
  if (environment !== undefined) return environment;
  throw new SluiceError('usage', {
    what: `"${release}" is no release.`,
    why: 'A release is named like 20261122T044736-staging-cgn6: its deploy prints it at its end.',
  });
}

/** Records that a person approves what a release made. Writes to the ledger alone. */
export async function approve(request: ApproveRequest, deps: ApproveDeps): Promise<ApprovedRelease> {
  const { release, by } = request;
  const note = request.note.trim();
  if (note.length > longestNote) {
    throw new SluiceError('usage', { what: `The note is longer than ${longestNote} characters.` });
  }
  const state = await readRelease(request, deps.ledger);
  const approval: Approval = { v: 1, release, note, by, at: deps.now().toISOString() };
  await deps.statements.approve(approval);
  return {
    approval,
    services: [...state.services.values()].map(({ service, revision, build }) => ({
      ...{ service, revision },
      digest: build?.digest || null,
    })),
    approvals: await deps.statements.approvals(release),
  };
}

/** Only what was released can be approved. */
async function readRelease({ release, type }: ApproveRequest, ledger: Ledger): Promise<ReleaseState> {
  const environment = environmentOfRelease(release);
  const record = await ledger.read(release);
  const status = type(`status ${environment}`);
  if (!record) {
    const what = `There is no release ${release} in this ledger.`;
    throw new SluiceError('usage', { what, next: [`${status}  # names the newest release`] });
  }
  const state = foldAll(release, record.events);
  const { finished, started } = state;
  const makes = started?.runbook === 'deploy' || started?.runbook === 'promote';
  if (finished?.outcome === 'succeeded' && makes) return state;
  throw new SluiceError('usage', {
    what: `Release ${release} made nothing that could be approved: ${
      !finished
        ? 'it has not ended'
        : makes
          ? `it ended as ${finished.outcome}`
          : `it was a ${started?.runbook}`
    }.`,
    next: [status],
  });
}
