import { createSqlInstanceCommand, parseSqlInstanceName } from '../../cloud-sql.ts';
import type { Problem } from '../../errors.ts';
import { call, type ServiceRun } from '../run.ts';
import { askInventory } from './ask-inventory.ts';

/**
 * Are the Cloud SQL instances there that a service attaches? Cloud Run does not ask: a revision starts without them,
 * and fails at its first connection. On the local cloud those that are missing are made.
 */
export async function attachedInstances(run: ServiceRun): Promise<Problem[]> {
  const problems = await Promise.all(run.target.cloudSql.map((name) => problemWith(run, name)));
  return problems.filter((problem) => problem !== undefined);
}

async function problemWith(run: ServiceRun, name: string): Promise<Problem | undefined> {
  const { cloud, journal, target } = run;
  const instance = parseSqlInstanceName(name);
  const found = await askInventory(run, `the Cloud SQL instance ${name}`, (inventory) =>
    inventory.sqlInstance(instance, call(run)),
  );
  if (found === undefined || found.state === 'exists') return undefined;
  if (found.state === 'unusable')
    return { what: `The Cloud SQL instance ${name} cannot be used: ${found.why}.` };
  if (!cloud.provision) {
    return {
      what: `The Cloud SQL instance ${name}, which ${target.key} attaches, does not exist.`,
      next: [createSqlInstanceCommand(name), run.command],
    };
  }
  await cloud.provision.sqlInstance(instance, call(run));
  const note = `made the Cloud SQL instance ${name} on the local cloud`;
  journal.emit({ type: 'notice', service: target.key, note });
  return undefined;
}
