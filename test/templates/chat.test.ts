import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { loadConfig } from '../../src/config/load.ts';
import { resolveTarget } from '../../src/config/resolve.ts';
import { parseEntriesText } from '../../src/startup/entries.ts';
import { createStartupReader } from '../../src/startup/reader.ts';
import { folder, startChat } from './chat.ts';

const phases = ['INIT', 'DEPENDENCIES', 'DATABASE', 'CACHE', 'SERVICES', 'WEBSOCKET', 'FINALIZE'];
const systems = ['Database', 'Redis', 'LLM Manager', 'Chat Pipeline', 'Agent Bridge'];

/** A conversation over /ws: the events that one message brings. */
async function converse(url: string, message: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers });
  const events: { type: string; user?: string | undefined }[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => socket.send(message));
    socket.on('message', (data) => {
      events.push(
        z.object({ type: z.string(), user: z.string().optional() }).parse(JSON.parse(String(data))),
      );
      if (events.at(-1)?.type === 'agent_completed') resolve();
    });
  });
  socket.close();
  return events;
}

describe('the sample', () => {
  test('starts in seven phases, in the lines of the field reports, and then answers', async () => {
    const service = startChat();
    await service.said(/^🟢 CHAT FUNCTIONALITY: FULLY OPERATIONAL$/);
    const messages = service.messages();
    const completed = messages.flatMap(
      (line) => /^✅ PHASE COMPLETED: (\w+) \(\d+\.\d{3}s\)$/.exec(line)?.[1] ?? [],
    );
    expect(completed).toEqual(phases);
    const timed = messages.flatMap((line) => /^ {3}(\w+) *: \d+\.\d{3}s \(\d+\.\d%\)$/.exec(line)?.[1] ?? []);
    expect(timed).toEqual(phases);
    expect(messages).toContain('✅ Phases Completed: 7/7');
    expect(messages).toContain('   Database:     ✅ Connected & Validated');
    expect(messages).toContain('   Chat Pipeline:✅ Operational & WebSocket-Enabled');
    expect(new Set(service.lines().map(({ severity }) => severity))).toEqual(new Set(['INFO']));

    expect(await service.health()).toEqual({
      http: 200,
      status: 'healthy',
      revision: 'chat-00001-abc',
      components: {
        database: 'healthy',
        redis: 'healthy',
        llm_manager: 'healthy',
        chat_pipeline: 'healthy',
        agent_bridge: 'healthy',
      },
    });
    const url = await service.url();
    expect(await (await fetch(url)).text()).toContain('Welcome to Chat');
    expect((await fetch(`${url}//`)).status).toBe(404);
    expect((await service.stop()) as object).toMatchObject({ code: 0, errors: '' });
  });

  test('answers a message on /ws with the five events, and knows an end-to-end test by its header', async () => {
    const service = startChat();
    await service.said(/^🟢/);
    const events = await converse(await service.url(), '{"message":"How is the weather?"}');
    expect(events.map(({ type }) => type)).toEqual([
      'agent_started',
      'agent_thinking',
      'tool_executing',
      'tool_completed',
      'agent_completed',
    ]);
    expect(events[0]?.user).toBe('guest');
    const [first] = await converse(await service.url(), 'plain text', { 'x-e2e-test': 'true' });
    expect(first?.user).toBe('e2e');
  });
});

describe('CHAT_FAULT', () => {
  test('import-error: the port is bound, then Node ends the process for a module that does not exist', async () => {
    const service = startChat('import-error');
    expect(await service.health()).toMatchObject({ http: 503, status: 'starting' });
    const { code, errors } = await service.exited;
    expect(code).toBe(1);
    expect(errors).toContain("code: 'ERR_MODULE_NOT_FOUND'");
    expect(errors).toContain('services/monitoring.js');
    expect(service.messages().at(-1)).toContain('❌ PHASE FAILED: DEPENDENCIES - Cannot find module');
  });

  test('exit-after-bind: a connection succeeds, then it exits with 3, at every start', async () => {
    for (const _ of [1, 2]) {
      const service = startChat('exit-after-bind');
      await fetch(await service.url()).catch(() => undefined);
      expect(await service.exited).toMatchObject({ code: 3 });
      expect(service.messages()).toEqual([expect.stringMatching(/^Listening/)]);
    }
  });

  test('never-listens: it lives and binds nothing', async () => {
    const service = startChat('never-listens');
    await service.said(/^Waiting/);
    expect(service.messages().filter((line) => line.startsWith('Listening'))).toEqual([]);
    expect(await service.stop()).toMatchObject({ code: 0 });
  });

  test('system-failed: the process lives; log and health say which system is gone', async () => {
    const service = startChat('system-failed');
    await service.said(/^🔴 CHAT FUNCTIONALITY: IMPAIRED$/);
    expect(service.messages()).toContain('   Redis:        ❌ Connection failed: ECONNREFUSED');
    expect(await service.health()).toMatchObject({
      http: 503,
      status: 'unhealthy',
      components: { redis: 'failed', database: 'healthy' },
    });
  });

  test('slow-phase: DEPENDENCIES goes beyond its budget', async () => {
    const service = startChat('slow-phase');
    const line = await service.said(/^✅ PHASE COMPLETED: DEPENDENCIES/);
    const [target] = await targets('staging');
    const budget = target?.startup.budgets.phases['DEPENDENCIES'] ?? Number.POSITIVE_INFINITY;
    expect(Number(/\((.*)s\)/.exec(line)?.[1])).toBeGreaterThan(budget);
  });

  describe('of the socket: the start and /health are as they should be', () => {
    const started = async (fault: string): Promise<string> => {
      const service = startChat(fault);
      await service.said(/^🟢/);
      expect(await service.health()).toMatchObject({ http: 200, status: 'healthy' });
      return service.url();
    };

    test('ws-403: nobody gets in, with the header of a test neither', async () => {
      const url = await started('ws-403');
      await expect(converse(url, 'hello', { 'x-e2e-test': 'true' })).rejects.toThrow('403');
    });

    test('ws-1011: closed at the first message', async () => {
      const socket = new WebSocket(`${(await started('ws-1011')).replace('http', 'ws')}/ws`);
      socket.on('open', () => socket.send('hello'));
      const [code, reason] = await once(socket, 'close');
      expect([code, String(reason)]).toEqual([1011, 'internal error']);
    });

    test('ws-error-1005: an error with the health of components', async () => {
      const socket = new WebSocket(`${(await started('ws-error-1005')).replace('http', 'ws')}/ws`);
      socket.on('open', () => socket.send('hello'));
      const [data] = await once(socket, 'message');
      socket.close();
      expect(JSON.parse(String(data))).toMatchObject({
        type: 'error',
        error: { code: 1005, component: 'Database', component_details: { redis: { status: 'degraded' } } },
      });
    });

    test('ws-missing-events: the tool says nothing', async () => {
      const events = await converse(await started('ws-missing-events'), 'hello');
      expect(events.map(({ type }) => type)).toEqual(['agent_started', 'agent_thinking', 'agent_completed']);
    });
  });

  test('anything else is refused with what there is', async () => {
    const { code, errors } = await startChat('slow').exited;
    expect(code).toBe(1);
    expect(errors).toContain(
      'it can be import-error, exit-after-bind, never-listens, system-failed, slow-phase',
    );
  });
});

async function targets(environment: string) {
  return resolveTarget(await loadConfig({ dir: folder, cwd: folder, env: {} }), { environment });
}

describe("the sample's own files", () => {
  test('staging demands what the sample really prints, and allows e2e', async () => {
    const [staging] = await targets('staging');
    expect(staging).toMatchObject({
      ref: { project: 'chat-staging', region: 'us-central1', service: 'chat' },
      startup: { phases, systems: { required: systems } },
      rollout: { identity: { path: '/health', field: 'revision' } },
      cloudSql: ['chat-staging:us-central1:chat'],
      env: {
        APP_ENV: 'staging',
        E2E_TEST_ENV: 'staging',
        DB_HOST: '/cloudsql/chat-staging:us-central1:chat',
      },
    });
    expect(staging?.checklist.map(({ kind }) => kind)).toEqual([
      'imports',
      'http',
      'http',
      'http',
      'websocket',
      'startup',
      'logs',
    ]);
  });

  test('production has nothing of e2e', async () => {
    const [production] = await targets('production');
    expect(production).toMatchObject({
      ref: { project: 'chat-production' },
      env: { APP_ENV: 'production' },
      cloudSql: [],
      e2e: { env: {}, headers: {} },
    });
  });

  test('the first line points editors at the schema', async () => {
    const [first = ''] = (await readFile(`${folder}sluice.yaml`, 'utf8')).split('\n');
    const path = /^# yaml-language-server: \$schema=(.*)$/.exec(first)?.[1] ?? '';
    const schema = JSON.parse(await readFile(new URL(path, `file://${folder}`), 'utf8'));
    expect(schema.title).toBe('sluice.yaml');
  });

  test('two dependencies, exact, the same in the lockfile', async () => {
    const read = async (name: string) => JSON.parse(await readFile(`${folder}${name}`, 'utf8'));
    const [manifest, lock] = [await read('package.json'), await read('package-lock.json')];
    expect(Object.keys(manifest.dependencies)).toEqual(['pg', 'ws']);
    expect(lock.packages[''].dependencies).toEqual(manifest.dependencies);
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(lock.packages[`node_modules/${name}`].version).toBe(version);
    }
  });
});

/** What Sluice reads from a start: the output as Cloud Run would log it. */
async function profileOf(service: ReturnType<typeof startChat>) {
  const [staging] = await targets('staging');
  const labels = { service_name: 'chat', revision_name: 'chat-00001-abc' };
  const entry = (payload: object, at: number) => ({
    insertId: String(at).padStart(6, '0'),
    logName: 'projects/p/logs/run.googleapis.com%2Fstdout',
    timestamp: new Date(Date.UTC(2026, 0, 1) + at).toISOString(),
    resource: { type: 'cloud_run_revision', labels },
    ...payload,
  });
  const printed = service
    .lines()
    .map((line) => ({ severity: line.severity, jsonPayload: { message: line.message } }));
  const errors = service
    .errors()
    .split('\n')
    .filter(Boolean)
    .map((textPayload) => ({ textPayload }));
  const { entries } = parseEntriesText(JSON.stringify([...printed, ...errors].map(entry)));
  const reader = createStartupReader({ formats: staging?.startup.formats ?? [], requiredSystems: systems });
  for (const one of entries) reader.push(one);
  return reader.report().revisions[0];
}

describe('Sluice reads from its log', () => {
  test('a start: seven phases with their times, five healthy systems', async () => {
    const service = startChat();
    await service.said(/^🟢/);
    const profile = await profileOf(service);
    expect(profile).toMatchObject({ outcome: 'started', rootCause: null, findings: [] });
    expect(profile?.phases.map(({ name, outcome }) => [name, outcome])).toEqual(
      phases.map((name) => [name, 'completed']),
    );
    expect(profile?.totalSeconds).toBeGreaterThan(0);
    const healthy = profile?.systems.filter(({ status }) => status === 'healthy').map(({ name }) => name);
    expect(healthy).toEqual(expect.arrayContaining(systems));
  });

  test('system-failed: which one', async () => {
    const service = startChat('system-failed');
    await service.said(/^🔴/);
    const profile = await profileOf(service);
    expect(profile?.systems).toContainEqual({
      name: 'Redis',
      status: 'failed',
      detail: 'Connection failed: ECONNREFUSED',
    });
  });

  test('import-error: the module that is missing', async () => {
    const service = startChat('import-error');
    await fetch(await service.url());
    await service.exited;
    const profile = await profileOf(service);
    expect(profile?.rootCause).toMatchObject({ severity: 'fatal', category: 'import' });
    expect(profile?.rootCause?.cause).toContain('monitoring.js');
  });
});
