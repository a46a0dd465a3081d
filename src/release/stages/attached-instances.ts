import { CloudError, type Presence } from '../../cloud/ports/index.ts';
import { createSqlInstanceCommand, parseSqlInstanceName } from '../../cloud-sql.ts';
import type { Problem } from '../../errors.ts';
import { call, type ServiceRun } from '../run.ts';

/**
 * Are the Cloud SQL instances there that a service attaches? Cloud Run does not ask: a revision starts without them,
 * and fails at its first connection. On the local cloud those that are missing are made.
 */
export async function attachedInstances(run: ServiceRun): Promise<Problem[]> {
  const names = run.target.cloudSql;
  if (names.length === 0) return [];
  const problems = await Promise.all(names.map((name) => problemWith(run, name)));
  return problems.filter((problem) => problem !== undefined);
}

async function problemWith(run: ServiceRun, name: string): Promise<Problem | undefined> {
  const { cloud, journal, target } = run;
  const note = (text: string): void => journal.emit({ type: 'notice', service: target.key, note: text });
  const answer = await ask(run, name);
  if ('untold' in answer) {
    note(`whether the Cloud SQL instance ${name} exists could not be asked: ${answer.untold}`);
    return undefined;
  }
  if (answer.state === 'exists') return undefined;
  if (answer.state === 'unusable')
    return { what: `The Cloud SQL instance ${name} cannot be used: ${answer.why}.` };
  if (!cloud.provision) {
    return {
      what: `The Cloud SQL instance ${name}, which ${target.key} attaches, does not exist.`,
      next: [createSqlInstanceCommand(name), run.command],
    };
  }
  await cloud.provision.sqlInstance(parseSqlInstanceName(name), call(run));
  note(`made the Cloud SQL instance ${name} on the local cloud`);
  return undefined;
}

/** Who deploys may well not be allowed to look at the databases: that is no reason to stop. */
async function ask(run: ServiceRun, name: string): Promise<Presence | { untold: string }> {
  try {
    const inventory = await run.cloud.inventory();
    return await inventory.sqlInstance(parseSqlInstanceName(name), call(run));
  } catch (error) {
    if (!(error instanceof CloudError) || error.kind === 'aborted') throw error;
    return { untold: error.said };
  }
}
