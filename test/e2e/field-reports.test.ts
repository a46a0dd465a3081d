// Real deployments that went wrong, as their reports tell of them, replayed with the sample's faults.
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { releaseDocumentSchema } from '../../src/report/json.ts';
import {
  type Config,
  hurried,
  ledgerOf,
  makePlace,
  type Place,
  root,
  whoServes,
  withChecks,
  withEnvironment,
  withService,
} from './kit.ts';

const staging = ['staging', '--local'];
const promotion = ['promote', 'staging', 'production', '--local'];
const testHeader = { 'X-E2E-Test': 'true' };

/** Deploys and returns the document with what a person saw meanwhile. */
async function release(place: Place, args = ['deploy', ...staging]) {
  const ended = await place.sluice([...args, '--json']);
  const document = releaseDocumentSchema.parse(JSON.parse(ended.stdout));
  const [service] = document.services;
  const check = (id: string, stage = 'candidate') =>
    service?.checks.find((one) => one.id === id && one.stage === stage);
  return { exitCode: ended.exitCode, seen: ended.stderr, release: document.release, service, check };
}

const variables = (env: Config) => (config: Config) => withService(config, { env });
const socketCheck = (changes: Config) => (config: Config) =>
  withChecks(config, (check) => (check['kind'] === 'websocket' ? { ...check, ...changes } : check));
const inStaging = (e2e: Config) => (config: Config) =>
  withEnvironment(config, 'staging', { services: { chat: { e2e } } });
const historyOf = async (place: Place, environment = 'staging') =>
  (await place.sluice(['history', environment, '--local'])).stdout;

describe('reports 1 and 2: a missing import, then 403 and 503', async () => {
  const place = await makePlace();
  const restore = (file: string) => copyFile(join(root, 'templates/chat', file), join(place.dir, file));
  const append = async (file: string, text: string) =>
    place.write(file, `${await readFile(join(place.dir, file), 'utf8')}\n${text}\n`);
  let served: string | undefined;

  beforeAll(async () => {
    await place.configure(hurried);
    await place.configure(socketCheck({ attempts: 1 }));
  });

  test('the missing import is found before anything is built', async () => {
    await place.write('src/handler.js', "export { getSession } from './db/session.js';\n");
    await append('server.js', "import './src/handler.js';");
    const { exitCode, stdout } = await place.sluice(['deploy', ...staging]);
    expect(exitCode).toBe(10);
    expect(stdout).toContain('chat was not deployed to staging: nothing was built or written');
    expect(stdout).toContain('imports failed: src/handler.js:1 imports "./db/session.js": no such file');
    const types = (await ledgerOf(place)).flatMap(({ events }) => events.map(({ event }) => event.type));
    expect(types.filter((type) => /^build|intended$/.test(type))).toEqual([]);
    expect(await whoServes(place)).toBeUndefined();
    expect(await historyOf(place)).toMatch(
      /✖ .* – +– +new service\n.*\n +not started \(exit code 10\): .*session\.js/,
    );
    await place.write('src/handler.js', 'export const getSession = () => undefined;\n');
  });

  test('revision 1 serves, and refuses every socket, which nobody demands yet', async () => {
    await place.configure(variables({ APP_ENV: '{env}', CHAT_FAULT: 'ws-403' }));
    await place.configure(inStaging({ headers: testHeader }));
    await place.configure(socketCheck({ required: false }));
    const { exitCode, service, check } = await release(place);
    expect(exitCode).toBe(0);
    expect(check('chat-ws')).toMatchObject({
      status: 'failed',
      required: false,
      messages: [{ connection: { status: 'passed' }, auth: { detail: '403 Forbidden' } }],
    });
    served = service?.revision ?? undefined;
  });

  test('revision 2 has the variables of the tests alone: 403 stays', async () => {
    await place.configure(socketCheck({ required: true }));
    const env = { E2E_TEST_ENV: '{env}', E2E_OAUTH_SIMULATION_KEY: 'key_2024', STAGING_E2E_TEST: '1' };
    await place.configure(inStaging({ env, headers: testHeader }));
    const { exitCode, service, seen } = await release(place);
    expect(exitCode).toBe(13);
    expect(service?.changes.map(({ field }) => field)).toEqual(Object.keys(env).map((key) => `env.${key}`));
    expect(service?.diagnosis?.cause).toContain(
      'the handshake is refused: 403 Forbidden ("Sign in first") though X-E2E-Test was sent, while /health answers 200',
    );
    expect(seen).not.toContain('key_2024');
    expect(await whoServes(place)).toMatchObject({ answered: served });
  });

  test('revision 3 has the code, with a name that was never imported: it does not start', async () => {
    await place.configure(variables({ APP_ENV: '{env}' }));
    await append('src/agent.js', 'export const sessions = new DatabaseSessionManager();');
    const { exitCode, service, release: ended } = await release(place);
    expect({ exitCode, rolledBack: ended.rolledBack }).toEqual({ exitCode: 12, rolledBack: true });
    expect(service?.diagnosis?.cause).toBe('ReferenceError: DatabaseSessionManager is not defined');
    expect(service?.changes).toContainEqual({ field: 'env.CHAT_FAULT', from: 'ws-403', to: null });
    expect(await whoServes(place)).toMatchObject({ answered: served });
  });

  test('revision 4 is the fix: every check passes, and the history is the table of the report', async () => {
    await restore('src/agent.js');
    const { exitCode, service, release: ended } = await release(place);
    expect({ exitCode, decision: ended.verdict.decision }).toEqual({ exitCode: 0, decision: 'ready' });
    expect(service?.changes).toContainEqual({ field: 'env.CHAT_FAULT', from: 'ws-403', to: null });
    expect(service?.checks.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect(await whoServes(place)).toMatchObject({ answered: service?.revision });

    const rows = (await historyOf(place)).split(/\n(?=[● ] [✔✖] )/).slice(1);
    expect(rows).toEqual([
      expect.stringMatching(/^● ✔ .* env\.E2E_TEST_ENV, .*, env\.CHAT_FAULT/),
      expect.stringMatching(
        /^ {2}✖ [\s\S]*exit code 12\): ReferenceError: DatabaseSessionManager is not defined/,
      ),
      expect.stringMatching(
        /^ {2}✖ .* env\.E2E_TEST_ENV.*\n[\s\S]*exit code 13\): Check chat-ws .*403 Forbidden/,
      ),
      expect.stringMatching(/^ {2}✔ .* new service/),
      expect.stringMatching(/^ {2}✖ [\s\S]*exit code 10\)/),
    ]);
  });
});

describe('reports 3 and 4: connected and signed in, and no message is processed', async () => {
  const place = await makePlace();

  /** The sample's checklist and the team's own tests. */
  const tested = (config: Config): Config => {
    const command = (phase: string) => [
      'node',
      join(root, 'test/e2e/fixtures/chat-suite.ts'),
      phase,
      '{junit}',
    ];
    const phases = ['P0', 'P1', 'P2'].map((name) => ({ name, command: command(name) }));
    const suite = { id: 'e2e', kind: 'suite', phases, latency: { p95: '2s' } };
    return withChecks(hurried(config), (check) => check, suite);
  };

  beforeAll(async () => {
    await place.configure((config) => socketCheck({ attempts: 1 })(tested(config)));
  });

  const broken: [fault: string, row: object, seen: string, test: RegExp][] = [
    [
      'ws-error-1005',
      { processing: { status: 'failed', detail: '1005 Database' } },
      'missing: agent_started, agent_thinking, tool_executing, tool_completed, agent_completed',
      /P0 › a message is answered: 1005 Database connectivity failure/,
    ],
    [
      'ws-missing-events',
      { processing: { status: 'passed' }, response: { status: 'failed', detail: '3 of 5 events' } },
      'missing: tool_executing, tool_completed',
      /P0 › five events come: not five events/,
    ],
  ];

  test.each(broken)(
    '%s: the step that fails is named, and P0 stops the phases after it',
    async (fault, row, told, lost) => {
      await place.configure(variables({ APP_ENV: '{env}', CHAT_FAULT: fault }));
      const { exitCode, seen, check } = await release(place);
      expect(exitCode).toBe(13);
      const passed = { status: 'passed' };
      expect(check('chat-ws')?.messages).toMatchObject([{ connection: passed, auth: passed, ...row }]);
      expect(seen).toContain(told);
      expect(check('e2e')).toMatchObject({
        reason: expect.stringMatching(lost),
        phases: [
          { name: 'P0', status: 'failed' },
          { name: 'P1', status: 'skipped', reason: 'not run, for P0 failed' },
          { name: 'P2', status: 'skipped' },
        ],
      });
    },
  );

  test('the fix: 7 of 7, p95 under two seconds', async () => {
    await place.configure(variables({ APP_ENV: '{env}' }));
    const { exitCode, check, service } = await release(place);
    expect(exitCode).toBe(0);
    const suite = check('e2e');
    expect(suite?.reason).toMatch(
      /^7 of 7 tests passed in 3 phases, p95 .* of at most 2 s, \d+ requests reached/,
    );
    expect(suite?.figures?.['p95Seconds']).toBeLessThan(2);
    const p95 = /p95 is ([\d.]+) ms over 20 samples/.exec(check('chat-ws', 'post')?.reason ?? '')?.[1];
    expect(Number(p95)).toBeLessThan(2000);
    expect(await whoServes(place)).toMatchObject({ answered: service?.revision });
  });
});

describe('report 5: validated in staging, promoted, and a bad release of production', async () => {
  const place = await makePlace();
  const git = (...args: string[]) =>
    execa('git', ['-C', place.dir, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args]);
  const commit = async (subject: string) => {
    await git('add', '.');
    await git('commit', '--quiet', '--message', subject);
  };
  const report = async (id: string) =>
    (await place.sluice(['report', id, '--format', 'md', '--local'])).stdout;
  const production = (chat: Config) =>
    place.configure((config) => withEnvironment(config, 'production', { services: { chat } }));
  let digest: string | null | undefined;

  beforeAll(async () => {
    await place.configure(hurried);
    await place.write('.gitignore', '.sluice/\n');
    await git('init', '--quiet');
    await commit('Begin');
    expect((await release(place)).exitCode).toBe(0);
  });

  test('full success, and the report that nobody has to write', async () => {
    const agent = await readFile(join(place.dir, 'src/agent.js'), 'utf8');
    await place.write('src/agent.js', `${agent}\n// Every event is delivered, or its loss is logged.\n`);
    await commit('fix: resolve issue #373 - eliminate silent event delivery failures');
    const done = await release(place);
    expect(done.exitCode).toBe(0);
    digest = done.service?.digest;
    const text = await report(done.release.id);
    const headings = text.split('\n').filter((line) => /^##/.test(line));
    expect(headings).toEqual([
      '## chat',
      ...['Deployment details', 'Equivalent gcloud command', 'Service status', 'Startup performance'].map(
        third,
      ),
      ...['Critical systems', 'Findings', 'Tests'].map(third),
      '## Validation criteria',
      '## Risk',
      '## Recommendation',
      '## Commits deployed',
    ]);
    expect(text).toMatch(/^gcloud run deploy chat \\\n {2}--project=chat-staging \\/m);
    expect(text).toMatch(/^\| `WEBSOCKET` \| [\d.]+ s \|.*✅ completed/m);
    expect(text).toMatch(/fix: resolve issue #373/);
    expect(text).not.toMatch(/\n\n\n/);
  });

  test('promoted: the very digest', async () => {
    await production({ rollout: { bake: '0s' } });
    const { exitCode, service, release: ended } = await release(place, promotion);
    expect({ exitCode, gate: ended.gate?.decision }).toEqual({ exitCode: 0, gate: 'ready' });
    expect(service?.digest).toBe(digest);
    expect(await whoServes(place, '/health', 'production')).toMatchObject({
      answered: service?.revision,
    });
  });

  test('what only shows under traffic takes itself back', async () => {
    const before = await whoServes(place, '/health', 'production');
    await place.configure(socketCheck({ attempts: 1, stages: ['post'] }));
    await production({ rollout: { bake: '0s' }, env: { CHAT_FAULT: 'ws-1011' } });
    const { exitCode, service, release: ended, seen } = await release(place, promotion);
    expect({ exitCode, rolledBack: ended.rolledBack }).toEqual({ exitCode: 13, rolledBack: true });
    expect(seen).toContain(`traffic: 100 % ${service?.revision}`);
    expect(seen).toContain(`${before?.revision} gave 2 answers in a row`);
    expect(await whoServes(place, '/health', 'production')).toMatchObject({
      answered: before?.revision,
      actual: expect.arrayContaining([{ revision: before?.revision, percent: 100 }]),
    });

    expect(await historyOf(place, 'production')).toMatch(
      /✖ .*env\.CHAT_FAULT {2}from staging\n.*\n +failed, rolled back \(exit code 13\): Check chat-ws .*closed 1011/,
    );
    const text = await report(ended.id);
    expect(text).toContain('- **Status**: failed, rolled back to the former traffic');
    expect(text).toContain(', `sluice promote staging production --local`\n');
    expect(text).not.toContain('`sluice deploy production');
  });
});

function third(heading: string): string {
  return `### ${heading}`;
}
