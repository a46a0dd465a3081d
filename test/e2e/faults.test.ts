import { beforeAll, describe, expect, test } from 'vitest';
import { releaseDocumentSchema } from '../../src/report/json.ts';
import { hurried, ledgerOf, makePlace, whoServes, withService } from './kit.ts';

const place = await makePlace();
const { sluice } = place;
const local = ['staging', '--local'];
let serving: Awaited<ReturnType<typeof whoServes>>;

beforeAll(async () => {
  await place.configure(hurried);
  // The chat service starts in a tenth of a second: `never-listens` need not be awaited for minutes.
  await place.configure((config) => withService(config, { startup: shortStartup }));
  expect((await sluice(['deploy', ...local])).exitCode).toBe(0);
  serving = await whoServes(place);
});

const shortStartup = {
  formats: ['field-report'],
  phases: ['INIT', 'DEPENDENCIES', 'DATABASE', 'CACHE', 'SERVICES', 'WEBSOCKET', 'FINALIZE'],
  systems: { required: ['Database', 'Redis'] },
  budgets: { total: '5s', phases: { DEPENDENCIES: '3s' } },
  quiet: '200ms',
  deadline: '8s',
};

/** [fault, exit code, what the output names as the cause, the category that the logs show] */
const faults = [
  ['import-error', 12, /Cannot find module '.*\/src\/services\/monitoring\.js'/, 'import'],
  ['exit-after-bind', 12, /exited with exit code 3/, 'exit'],
  ['never-listens', 12, /after 8 s still missing: Ready/, undefined],
  ['system-failed', 12, /Redis.* (reported that it )?failed/, undefined],
  ['slow-phase', 13, /DEPENDENCIES took 6\.\d+ s, budget 3 s/, undefined],
] as const;

describe.each(faults)('CHAT_FAULT=%s', (fault, exitCode, cause, category) => {
  const set = ['--env', `CHAT_FAULT=${fault}`];
  let document: ReturnType<typeof releaseDocumentSchema.parse>;

  beforeAll(async () => {
    const run = await sluice(['deploy', ...local, ...set, '--json']);
    expect(run.exitCode).toBe(exitCode);
    document = releaseDocumentSchema.parse(JSON.parse(run.stdout));
  });

  test('the failure has its code, and was rolled back', () => {
    const { release } = document;
    expect(release).toMatchObject({
      outcome: 'failed',
      exitCode,
      rolledBack: true,
      verdict: { decision: 'blocked' },
    });
  });

  test('the root cause is named, with a next command', () => {
    const [service] = document.services;
    const {
      cause: told,
      why,
      next,
      notDone,
    } = service?.diagnosis ?? { cause: '', why: '', next: [], notDone: [] };
    expect(`${told}\n${why}`).toMatch(cause);
    expect(next.join('\n')).toMatch(/^sluice logs staging --local/m);
    expect(notDone).toContain('the traffic was not moved');
    expect(service?.changes).toEqual([{ field: 'env.CHAT_FAULT', from: null, to: fault }]);
    if (category) expect(service?.startup?.rootCause?.category).toBe(category);
  });

  test('the former revision still serves', async () => {
    expect(await whoServes(place)).toMatchObject({ answered: serving?.revision, unfinished: null });
    const [service] = document.services;
    expect(service?.traffic).toEqual([{ revision: serving?.revision, percent: 100 }]);
  });
});

test('the ledger has every release with its end', async () => {
  const ends = (await ledgerOf(place)).map(({ state }) => state.finished?.exitCode);
  expect(ends).toEqual([0, 12, 12, 12, 12, 13]);
});

test('a person reads the cause, the evidence, what was not done and who serves', async () => {
  const { exitCode, stdout } = await sluice(['deploy', ...local, '--env', 'CHAT_FAULT=import-error']);
  expect(exitCode).toBe(12);
  expect(stdout).toMatch(/^✖ chat was not deployed to staging$/m);
  expect(stdout).toMatch(/✖ DEPENDENCIES/);
  expect(stdout).toMatch(/not done +.*the traffic was not moved/);
  expect(stdout).toMatch(
    new RegExp(`traffic +100 % ${serving?.revision} +restored, proven by 2 answers in a row`),
  );
  expect(stdout).toMatch(/evidence +│ .*ERR_MODULE_NOT_FOUND|PHASE FAILED/);
  expect(stdout).toMatch(/^→ sluice logs staging --local --revision chat-/m);
  expect(stdout).toMatch(/exit code 12$/m);
});

test('plan shows the one-deploy variable, and the plain plan has nothing to do', async () => {
  const plan = await sluice(['plan', ...local, '--env', 'CHAT_FAULT=import-error']);
  expect(plan.stdout).toMatch(/\+ env\.CHAT_FAULT +import-error/);
  expect((await sluice(['plan', ...local, '--exit-code'])).exitCode).toBe(0);
});

test('the next plain deploy recovers', async () => {
  const { exitCode } = await sluice(['deploy', ...local]);
  expect(exitCode).toBe(0);
  expect((await whoServes(place))?.answered).toBeDefined();
});
