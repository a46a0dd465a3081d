import { createHash } from 'node:crypto';
import { formatConnectionName } from './names.ts';
import type { Instance, SqlOperation } from './state.ts';

/** The resources as Google's API shows them. Source: cloud.google.com/sql/docs/postgres/admin-api/rest */
const origin = 'https://sqladmin.googleapis.com/sql/v1beta4';

export function renderInstance(instance: Instance, postgresVersion: string | undefined) {
  const { project, region, name, databaseVersion, state, createTime, settings } = instance;
  return {
    kind: 'sql#instance',
    state,
    databaseVersion,
    // What really runs, whatever version was asked for.
    ...(postgresVersion && { databaseInstalledVersion: `POSTGRES_${postgresVersion.replaceAll('.', '_')}` }),
    settings: {
      ...{ kind: 'sql#settings', tier: 'db-f1-micro', edition: 'ENTERPRISE', pricingPlan: 'PER_USE' },
      ...{ activationPolicy: 'ALWAYS', availabilityType: 'ZONAL', replicationType: 'SYNCHRONOUS' },
      ...{ dataDiskSizeGb: '10', dataDiskType: 'PD_SSD', storageAutoResize: true },
      ...settings,
      settingsVersion: '1',
    },
    etag: etagOf(instance),
    ...{ project, name, region, gceZone: `${region}-a`, createTime },
    connectionName: formatConnectionName(instance),
    selfLink: `${origin}/projects/${project}/instances/${name}`,
    ...{ backendType: 'SECOND_GEN', instanceType: 'CLOUD_SQL_INSTANCE' },
  };
}

export function renderOperation(operation: SqlOperation) {
  const { name, project, instance, type, insertTime, endTime, error } = operation;
  return {
    kind: 'sql#operation',
    ...{ name, operationType: type, targetId: instance, targetProject: project },
    status: endTime ? 'DONE' : 'RUNNING',
    ...{ user: 'local', insertTime, startTime: insertTime },
    ...(endTime && { endTime }),
    ...(error && {
      error: { kind: 'sql#operationErrors', errors: [{ kind: 'sql#operationError', ...error }] },
    }),
    targetLink: `${origin}/projects/${project}/instances/${instance}`,
    selfLink: `${origin}/projects/${project}/operations/${name}`,
  };
}

export function renderDatabase(
  { project, name: instance }: Instance,
  database: { name: string; charset: string; collation: string },
) {
  const { name } = database;
  return {
    kind: 'sql#database',
    ...{ ...database, instance, project, etag: etagOf(database) },
    selfLink: `${origin}/projects/${project}/instances/${instance}/databases/${name}`,
  };
}

export function renderUser({ project, name: instance }: Instance, name: string) {
  return { kind: 'sql#user', ...{ name, host: '', instance, project, etag: etagOf({ instance, name }) } };
}

function etagOf(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
