import { errorMessage } from '../errors.ts';
import { testResultOf } from '../gate/test-result.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Journal } from './journal.ts';

/** Releases that check something; a rollback and an unpin make no evidence of their own. */
const attested: ReadonlySet<string> = new Set(['deploy', 'promote', 'check']);

/** The name of a service's statement beside a release's record. */
export function statementName(service: string): string {
  return `evidence-${service}.intoto.json`;
}

/** Writes what the release shows as in-toto statements beside its record. A failure is told, and changes no release. */
export async function attest(journal: Journal, ledger: Ledger): Promise<void> {
  const { state } = journal;
  if (!state.started || !attested.has(state.started.runbook)) return;
  const attach = async (service: string): Promise<void> => {
    const statement = testResultOf(state, service, ledger.where(state.id));
    if (!statement) return;
    const bytes = Buffer.from(`${JSON.stringify(statement, null, 2)}\n`);
    try {
      await ledger.attach(state.id, statementName(service), bytes);
    } catch (error) {
      const note = `the evidence could not be written as a statement: ${errorMessage(error)}`;
      journal.emit({ type: 'notice', service, note });
    }
  };
  await Promise.all([...state.services.keys()].map(attach));
}
