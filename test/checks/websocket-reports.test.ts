// The situations of two reports from the field, as a check tells them.
import { expect, test } from 'vitest';
import type { MessageSpec } from '../../src/config/check-spec.ts';
import { check, five, matrix, message, refusing, say, serveWebsocket } from './websocket-server.ts';

test('variables are set, the code that reads the header is not deployed: health is 200 while /ws answers 403', async () => {
  const url = await serveWebsocket({
    http: (request, response) => response.writeHead(request.url === '/health' ? 200 : 404).end(),
    upgrade: refusing('403 Forbidden'),
  });
  const result = await check(url, {}, { headers: { 'X-E2E-Test': 'true' } });
  expect(result).toMatchObject({
    status: 'failed',
    reason:
      '/ws: the handshake is refused: 403 Forbidden though X-E2E-Test was sent, while /health answers 200',
  });
  expect(matrix(result)).toEqual(['user_message ✔✖––']);
});

test('an import is missing: /ws and /health both answer 503', async () => {
  const url = await serveWebsocket({
    http: (_, response) => response.writeHead(503).end(),
    upgrade: refusing('503 Service Unavailable'),
  });
  expect((await check(url)).reason).toBe(
    '/ws: the handshake is refused: 503 Service Unavailable, while /health answers 503',
  );
});

const cannotImport = "cannot import name 'get_db_session_factory'";
const failure = `Database connectivity failure: ${cannotImport} from 'netra_backend.app.db.session' (/app/netra_backend/app/db/session.py)`;
const error = {
  type: 'error',
  error: {
    code: 1005,
    component: 'Database',
    message: failure,
    component_details: {
      database: { status: 'failed', error: cannotImport, error_code: 1005 },
      redis: { status: 'degraded', details: 'App state not accessible for Redis validation' },
    },
  },
};

test('connection and auth pass, the database fails: the table of the report', async () => {
  const system = ['handshake_validation', 'system_message', 'ping'];
  const url = await serveWebsocket({
    greet: (socket) => say(...system.slice(0, 2))(socket),
    answer: (socket, text) => {
      if (!text.includes('user_message')) return;
      socket.send(JSON.stringify(error));
      socket.send('{"type":"ping"}');
    },
  });
  const types = ['user_message', 'start_agent', 'tool_execute', 'chat_completion'];
  const quick = (type: string): MessageSpec => message({ type, deadlineSeconds: 0.5 });
  const result = await check(url, { messages: types.map(quick) });

  expect(matrix(result)).toEqual(types.map((type) => `${type} ✔✔✖–`));
  expect(result.messages?.map(({ processing, response }) => [processing.detail, response.detail])).toEqual([
    ['1005 Database', 'handshake_validation, system_message, error, ping'],
    ...types
      .slice(1)
      .map(() => ['nothing expected came within 0.5 s', 'handshake_validation, system_message']),
  ]);
  for (const { missing } of result.messages ?? []) expect(missing).toEqual(five);
  expect(result.components).toEqual([
    { code: '1005', component: 'Database', message: failure, status: 'failed', details: '' },
    {
      ...{ code: '', component: 'redis', message: '', status: 'degraded' },
      details: 'App state not accessible for Redis validation',
    },
  ]);
  expect(result.reason).toContain(
    `user_message: connection and auth passed, processing failed: 1005 Database (${failure}); missing agent_started … agent_completed (5)`,
  );
  expect(result.reason).toContain(
    'start_agent, tool_execute, chat_completion: connection and auth passed, processing failed: nothing expected came',
  );
});
