import type { SecretRef } from '../../cloud/ports/index.ts';
import type { Problem } from '../../errors.ts';
import { call, type ServiceRun } from '../run.ts';
import { askInventory } from './ask-inventory.ts';

/** Are the secrets there that a service reads? Cloud Run says so only after the build, of a revision that fails. */
export async function namedSecrets(run: ServiceRun): Promise<Problem[]> {
  const named = Object.entries(run.target.secrets);
  const problems = await Promise.all(named.map(([variable, ref]) => problemWith(run, variable, ref)));
  return problems.filter((problem) => problem !== undefined);
}

async function problemWith(
  run: ServiceRun,
  variable: string,
  { secret, version }: SecretRef,
): Promise<Problem | undefined> {
  const { project } = run.target.ref;
  const found = await askInventory(run, `the secret ${secret}:${version}`, (inventory) =>
    inventory.secretVersion({ project, secret, version }, call(run)),
  );
  if (found === undefined || found.state === 'exists') return undefined;
  const what = `The secret ${secret}:${version}, which ${run.target.key} reads as ${variable},`;
  const named = `${secret} --project=${project}`;
  if (found.state === 'unusable') {
    const next = [`gcloud secrets versions list ${named}`, run.command];
    return { what: `${what} cannot be read: ${found.why}.`, next };
  }
  // Only of a missing version there is no more to say.
  const verb = found.why === '' ? 'versions add' : 'create';
  return {
    what: `${what} does not exist.`,
    next: [`gcloud secrets ${verb} ${named} --data-file=FILE`, run.command],
  };
}
