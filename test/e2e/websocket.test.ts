import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { releaseDocumentSchema } from '../../src/report/json.ts';
import { type Config, type Ended, hurried, ledgerOf, makePlace, whoServes, withService } from './kit.ts';

const place = await makePlace();
const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJlMmUifQ.c2lnbmF0dXJl';

/** Beside the sample's own check, two that sign in: from a variable, and from a secret. */
function signingIn(config: Config): Config {
  const { chat } = z
    .object({ chat: z.object({ checklist: z.array(z.record(z.string(), z.unknown())) }) })
    .parse(config['services']);
  const withToken = (id: string, source: object) => ({
    ...{ id, kind: 'websocket', path: '/ws', required: false, attempts: 1 },
    auth: { token: source },
  });
  return withService(config, {
    checklist: [
      ...chat.checklist.map((check) => (check['kind'] === 'websocket' ? { ...check, attempts: 1 } : check)),
      withToken('by-variable', { variable: 'CHAT_TOKEN' }),
      withToken('by-unset', { variable: 'NOT_SET' }),
      withToken('by-secret', { secret: 'chat-token' }),
    ],
  });
}

let before: Awaited<ReturnType<typeof whoServes>>;

beforeAll(async () => {
  await place.configure((config) => signingIn(hurried(config)));
  const first = await deploy();
  expect(first.stdout).toMatch(
    /✔ chat-ws +candidate .*user_message brought its 5 events: p95 is .* over 20 samples/,
  );
  expect(first.exitCode).toBe(0);
  before = await whoServes(place);
});

function deploy(...flags: string[]): Promise<Ended> {
  return place.sluice(['deploy', 'staging', '--local', ...flags], { env: { CHAT_TOKEN: token } });
}

const withFault = (fault: string, ...flags: string[]) => deploy('--env', `CHAT_FAULT=${fault}`, ...flags);

/** Everything that a release left on this disk, as text. */
async function ledgerText(): Promise<string> {
  const releases = join(place.dir, '.sluice/ledger/releases');
  const files = await readdir(releases, { recursive: true, withFileTypes: true });
  const texts = files
    .filter((file) => file.isFile())
    .map((file) => readFile(join(file.parentPath, file.name), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}

/** The release ends with 13, and the service's own answer tells that the former revision serves. */
async function expectUnharmed(ended: Ended): Promise<void> {
  expect(ended.exitCode).toBe(13);
  const answer = await fetch(`${before?.url}/health`);
  expect(await answer.json()).toMatchObject({ status: 'healthy', revision: before?.revision });
}

describe('a socket that fails is told step by step, and gets no traffic', () => {
  test('ws-403: health is 200 while the handshake is refused; what signs in leaves no token anywhere', async () => {
    const ended = await withFault('ws-403');
    await expectUnharmed(ended);
    expect(ended.stdout).toMatch(new RegExp(`traffic +100 % ${before?.revision} +restored, proven`));
    expect(ended.stdout).toContain(
      '/ws: the handshake is refused: 403 Forbidden ("Sign in first") though X-E2E-Test was sent, while /health answers 200',
    );
    expect(ended.stdout).toMatch(/ user_message +✔ \S+ m?s +✖ 403 Forbidden +– +–$/m);
    expect(ended.stdout).toMatch(
      /! by-variable .*403 Forbidden.* though X-E2E-Test and a bearer token were sent/,
    );
    expect(ended.stdout).toMatch(
      /! by-unset .*the environment variable NOT_SET is not set: export it and run again/,
    );
    expect(ended.stdout).toMatch(
      /! by-secret .*chat-token:latest could not be read: Secret \[projects\/\S+\/secrets\/chat-token\] not found or has no versions\./,
    );
    for (const text of [ended.stdout, ended.stderr, await ledgerText()]) expect(text).not.toContain(token);
  });

  test('ws-1011: closed during processing', async () => {
    const ended = await withFault('ws-1011');
    await expectUnharmed(ended);
    const line = /^.* user_message +✔ \S+ m?s +✔ +✖ closed 1011: internal error +– no response$/m;
    expect(ended.stdout).toMatch(line);
    expect(ended.stderr).toMatch(line);
    expect(ended.stdout).toContain(
      'missing: agent_started, agent_thinking, tool_executing, tool_completed, agent_completed',
    );
  });

  test('ws-error-1005: the database, and the health of components, in the document too', async () => {
    const ended = await withFault('ws-error-1005', '--json');
    await expectUnharmed(ended);
    expect(ended.stderr).toMatch(/ user_message +✔ \S+ m?s +✔ +✖ 1005 Database +– error$/m);
    expect(ended.stderr).toMatch(
      / ✖ Database +failed +1005 +Database connectivity failure: cannot import name/,
    );
    expect(ended.stderr).toMatch(/ ! redis +degraded +App state not accessible/);
    const { services } = releaseDocumentSchema.parse(JSON.parse(ended.stdout));
    const check = services[0]?.checks.find(({ id }) => id === 'chat-ws');
    expect(check).toMatchObject({
      status: 'failed',
      messages: [{ type: 'user_message', processing: { status: 'failed', detail: '1005 Database' } }],
      components: [
        { code: '1005', component: 'Database', status: 'failed' },
        { component: 'redis', status: 'degraded' },
      ],
    });
  });

  test('ws-missing-events: which of them', async () => {
    const ended = await withFault('ws-missing-events');
    await expectUnharmed(ended);
    expect(ended.stdout).toContain('response failed: missing tool_executing, tool_completed');
    expect(ended.stdout).toMatch(/ user_message +✔ \S+ m?s +✔ +✔ \S+ m?s +✖ 3 of 5 events$/m);
    const { state } = (await ledgerOf(place)).at(-1) ?? {};
    const kept = state?.services.get('chat')?.checks.find(({ id }) => id === 'chat-ws');
    expect(kept?.messages).toMatchObject([{ missing: ['tool_executing', 'tool_completed'] }]);
  });
});
