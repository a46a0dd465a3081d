import type { LogSink } from '../contracts.ts';
import type { Instance } from './state.ts';

/** Severities by Postgres' own levels; what follows a line (DETAIL, HINT, STATEMENT) has none. */
const severities: Readonly<Record<string, string>> = {
  LOG: 'INFO',
  WARNING: 'WARNING',
  ERROR: 'ERROR',
  FATAL: 'ALERT',
  PANIC: 'EMERGENCY',
};

/** Makes what an instance's server says entries of `cloudsql.googleapis.com/postgres.log`. */
export function sayAs(logs: LogSink, { project, region, name }: Instance): (line: string) => void {
  const logName = `projects/${project}/logs/${encodeURIComponent('cloudsql.googleapis.com/postgres.log')}`;
  const labels = { project_id: project, region, database_id: `${project}:${name}` };
  return (line) => {
    const severity = severities[/ (LOG|WARNING|ERROR|FATAL|PANIC): /.exec(line)?.[1] ?? ''];
    logs.write({
      ...{ logName, resource: { type: 'cloudsql_database', labels } },
      ...(severity && { severity }),
      timestamp: new Date(),
      textPayload: line,
    });
  };
}
