import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { checkCommand } from '../../src/checks/command.ts';
import { Secret } from '../../src/secret.ts';
import { contextFor, programSetting } from './given.ts';
import { commandCheck, folderWith, node } from './programs.ts';

const context = (more: Parameters<typeof contextFor>[1] = {}) => contextFor('http://127.0.0.1:1', more);
const expecting = (output: { present?: string[]; absent?: string[] }) => ({
  output: { present: [], absent: [], ...output },
});

const verdicts: [what: string, check: ReturnType<typeof commandCheck>, status: string, reason: RegExp][] = [
  ['it exits with 0', commandCheck(node('')), 'passed', /exited with 0/],
  [
    'it exits with another code, and what it said last is shown',
    commandCheck(
      node('console.log("reading"); console.error("no schema \\u001b[31mfound"); process.exit(3)'),
    ),
    'failed',
    /exited with 3, expected 0; it ended: ".*no schema found"/,
  ],
  [
    'another code is expected',
    commandCheck(node('process.exit(3)'), { exitCode: [2, 3] }),
    'passed',
    /exited with 3/,
  ],
  [
    'it prints what must be there, on stderr too',
    commandCheck(node('console.error("12 migrations")'), expecting({ present: ['^\\d+ migrations'] })),
    'passed',
    /./,
  ],
  [
    'it does not print what must be there',
    commandCheck(node('console.log("done")'), expecting({ present: ['migrations'] })),
    'failed',
    /nothing it printed matches \/migrations\//,
  ],
  [
    'it prints what must be absent',
    commandCheck(node('console.log("1 Pending")'), expecting({ absent: ['(?i)pending'] })),
    'failed',
    /what must be absent: it matches/,
  ],
  [
    'there is no such program',
    commandCheck(['no-such-program']),
    'failed',
    /no-such-program could not be started/,
  ],
  ['there is no such folder', commandCheck(node(''), { dir: 'gone' }), 'failed', /could not be started/],
  [
    'a signal ends it',
    commandCheck(node('process.kill(process.pid, "SIGKILL")')),
    'failed',
    /killed by SIGKILL/,
  ],
  [
    'it prints without end',
    commandCheck(node('for (;;) require("fs").writeSync(1, "x".repeat(65536))'), { timeoutSeconds: 0.7 }),
    'failed',
    /did not end within 0.7 s and was killed/,
  ],
  [
    'what must be absent could be in what was not kept',
    commandCheck(node('console.log("y".repeat(3e6))'), expecting({ absent: ['x'] })),
    'inconclusive',
    /the rest was not searched/,
  ],
  [
    'it reads what nobody types',
    commandCheck(node('process.stdin.resume(); process.stdin.on("end", () => process.exit(0))')),
    'passed',
    /./,
  ],
];

test.each(verdicts)('%s', async (_, check, status, reason) => {
  const outcome = await checkCommand(check, context());
  expect(outcome).toMatchObject({ status, reason: expect.stringMatching(reason) });
});

test('a program is told what it checks, and arguments and variables may hold the URL', async () => {
  const folder = folderWith();
  const code = `require('fs').writeFileSync('told.json', JSON.stringify([process.env, process.argv.slice(1)]))`;
  const check = commandCheck(node(code, '{url}/health', '{unknown}'), { env: { BASE_URL: '{url}/v1' } });
  const program = programSetting({ sourceDir: folder, e2eEnv: { E2E_TEST_ENV: 'staging' } });
  await checkCommand(check, context({ program, headers: { 'X-E2E': 'true' } }));
  const [env, args] = JSON.parse(readFileSync(join(folder, 'told.json'), 'utf8'));
  expect(args).toEqual(['http://127.0.0.1:1/health', '{unknown}']);
  expect(env).toMatchObject({
    SERVICE_URL: 'http://127.0.0.1:1',
    CANDIDATE_URL: 'http://127.0.0.1:1',
    BASE_URL: 'http://127.0.0.1:1/v1',
    E2E_TEST_ENV: 'staging',
    E2E_HEADERS: '{"X-E2E":"true"}',
    SLUICE_ENVIRONMENT: 'staging',
    SLUICE_SERVICE: 'chat',
    SLUICE_REVISION: 'chat-00002',
    SLUICE_STAGE: 'candidate',
  });
});

const showing = `
  for (const name of ['NPM_TOKEN', 'DB_PASSWORD', 'E2E_HEADERS', 'SERVICE_ID_TOKEN', 'E2E_KEY'])
    console.log(name, process.env[name]);
  process.exit(1);
`;

test('no secret that a program was given comes out of it', async () => {
  vi.stubEnv('NPM_TOKEN', 'from-the-environment');
  const check = commandCheck(node(showing), { env: { DB_PASSWORD: 'from-the-config' } });
  const outcome = await checkCommand(
    check,
    context({
      headers: { 'X-E2E': 'header-value' },
      idToken: async () => new Secret('an-id-token'),
      program: programSetting({ e2eEnv: { E2E_KEY: 'e2e-variable' } }),
    }),
  );
  vi.unstubAllEnvs();
  expect(outcome.status).toBe('failed');
  const shown = JSON.stringify(outcome);
  expect(shown.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(5);
  for (const secret of [
    'from-the-environment',
    'from-the-config',
    'header-value',
    'an-id-token',
    'e2e-variable',
  ])
    expect(shown).not.toContain(secret);
});

/** Starts a child that outlives its parent and ignores SIGTERM, then waits for ever. */
const familyOf = (ignore: string) => `
  ${ignore}
  const child = require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(`${ignore} setInterval(() => {}, 1000)`)}], { stdio: 'inherit' });
  require('fs').writeFileSync('pids', process.pid + ' ' + child.pid);
  setInterval(() => {}, 1000);
`;

/** A process that has ended and waits to be buried is gone. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && existsSync('/proc') === false;
  }
}

async function pidsIn(folder: string): Promise<number[]> {
  await vi.waitUntil(() => existsSync(join(folder, 'pids')), { timeout: 15_000, interval: 10 });
  await vi.waitUntil(() => readFileSync(join(folder, 'pids'), 'utf8').includes(' '));
  return readFileSync(join(folder, 'pids'), 'utf8').split(' ').map(Number);
}

const gone = (pids: number[]) => vi.waitUntil(() => !pids.some(alive), { timeout: 15_000, interval: 10 });

test('at its deadline a program is killed with its children, however stubborn', async () => {
  const folder = folderWith();
  const stubborn = commandCheck(node(familyOf("process.on('SIGTERM', () => {});")), { timeoutSeconds: 1.5 });
  const outcome = await checkCommand(stubborn, context({ program: programSetting({ sourceDir: folder }) }));
  expect(outcome).toMatchObject({ status: 'failed', reason: expect.stringContaining('was killed') });
  await gone(await pidsIn(folder));
});

test('when the run is stopped a program is killed with its children', async () => {
  const folder = folderWith();
  const stop = new AbortController();
  const running = checkCommand(
    commandCheck(node(familyOf(''))),
    context({ program: programSetting({ sourceDir: folder }), signal: stop.signal }),
  );
  const pids = await pidsIn(folder);
  stop.abort(new Error('Ctrl-C'));
  await expect(running).rejects.toThrow('Ctrl-C');
  await gone(pids);
});

test('what a program leaves behind is ended', async () => {
  const folder = folderWith();
  const code = `
    const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    require('fs').writeFileSync('pids', process.pid + ' ' + child.pid);
    child.unref();
  `;
  const outcome = await checkCommand(
    commandCheck(node(code)),
    context({ program: programSetting({ sourceDir: folder }) }),
  );
  expect(outcome.status).toBe('passed');
  await gone(await pidsIn(folder));
});
