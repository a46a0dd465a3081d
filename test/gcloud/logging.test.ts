import { LoggingServiceV2Client } from '@google-cloud/logging-api';
import { credentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { judge, project, region } from './kit.ts';

const ofRun = (log: string) => `projects/${project}/logs/run.googleapis.com%2F${log}`;
const resource = {
  type: 'cloud_run_revision',
  labels: { project_id: project, location: region, service_name: 'chat', revision_name: 'chat-00001-abc' },
};

judge('Logging', {}, (judged) => {
  let client: LoggingServiceV2Client;
  /** The newest comes first. */
  const read = async (filter: string, ...args: string[]) => {
    const fields = '--format=value(textPayload,jsonPayload.message,httpRequest.status)';
    const said = await judged().said(['logging', 'read', filter, fields, ...args]);
    return said
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean);
  };

  beforeAll(async () => {
    client = new LoggingServiceV2Client({
      ...{ apiEndpoint: '127.0.0.1', port: judged().port, projectId: project },
      sslCreds: credentials.createInsecure(),
      authClient: new PassThroughClient(),
    });
    const message = { fields: { message: { stringValue: 'it failed' }, code: { numberValue: 7 } } };
    await client.writeLogEntries({
      resource,
      entries: [
        { logName: ofRun('stdout'), textPayload: 'first line', severity: 'INFO' },
        { logName: ofRun('stderr'), jsonPayload: message, severity: 'ERROR' },
        {
          logName: ofRun('requests'),
          httpRequest: { requestMethod: 'GET', requestUrl: 'http://x/ws', status: 503 },
        },
        { logName: ofRun('stdout'), textPayload: 'of old', timestamp: { seconds: 1_700_000_000 } },
      ],
    });
  });
  afterAll(() => client.close());

  test.each([
    ['severity>=ERROR', ['it failed']],
    [
      `resource.type="cloud_run_revision" AND resource.labels.service_name="chat"`,
      ['503', 'it failed', 'first line'],
    ],
    [`logName="${ofRun('stdout')}"`, ['first line']],
    ['log_id("run.googleapis.com/stderr")', ['it failed']],
    ['textPayload:"LINE"', ['first line']],
    ['jsonPayload.code=7 AND jsonPayload.message=~"^it f"', ['it failed']],
    ['httpRequest.status>=500 -- and nothing else', ['503']],
    ['NOT (severity=ERROR OR httpRequest.status>0)', ['first line']],
    ['SEARCH("failed")', ['it failed']],
    ['timestamp<"2024-01-01T00:00:00Z"', ['of old']],
  ])('read %s', async (filter, lines) => {
    expect(await read(filter)).toEqual(lines);
  });

  test('read takes its order, its limit and how far back it looks', async () => {
    expect(await read('', '--limit=1')).toEqual(['503']);
    expect(await read('', '--order=asc', '--limit=1')).toEqual(['of old']);
    expect(await read('severity=DEFAULT')).toEqual(['503']);
    expect(await read('severity=DEFAULT', '--freshness=100000d')).toEqual(['503', 'of old']);
    const { exitCode, stderr } = await judged().gcloud(['logging', 'read', 'bogus="x"']);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining("INVALID_ARGUMENT: Unparseable filter: unknown field 'bogus'"),
    ]);
  });

  test('what is written is read, listed as a log, and seen by the official client', async () => {
    await judged().said(['logging', 'write', 'notes', 'by hand', '--severity=WARNING']);
    await judged().said(['logging', 'write', 'notes', '{"message":"as json"}', '--payload-type=json']);
    expect(await read('log_id("notes")')).toEqual(['as json', 'by hand']);
    const notes = `projects/${project}/logs/notes`;
    expect((await judged().said(['logging', 'logs', 'list'])).split('\n')).toContain(notes);
    const [entries] = await client.listLogEntries({
      resourceNames: [`projects/${project}`],
      filter: `logName="${notes}"`,
    });
    expect(entries.map(({ severity }) => severity)).toEqual(['WARNING', 'DEFAULT']);
    await judged().said(['logging', 'logs', 'delete', 'notes']);
    expect(await read('log_id("notes")')).toEqual([]);
  });

  test("a service's own lines are read; gcloud 528 cannot show a jsonPayload", async () => {
    const lines = await judged().said([
      ...['run', 'services', 'logs', 'read', 'chat', `--region=${region}`, '--limit=10'],
      '--log-filter=textPayload:* OR httpRequest.status>0',
    ]);
    expect(lines).toMatch(/^[-\d]+ [:\d]+ first line\n[-\d]+ [:\d]+ GET 503 http:\/\/x\/ws$/);
  });
});
