import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { gateDocumentSchema } from '../../src/report/gate-json.ts';
import { releaseDocumentSchema } from '../../src/report/json.ts';
import { type Config, type Ended, hurried, ledgerOf, makePlace, withEnvironment } from './kit.ts';

const place = await makePlace();
const { sluice, dir } = place;
const road = ['staging', 'production', '--local'];

const git = (...args: string[]) =>
  execa('git', ['-C', dir, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args]);
/** Git's identity for one command. */
const as = (email: string) => ({
  env: { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.email', GIT_CONFIG_VALUE_0: email },
});
const gateOf = ({ stdout }: Ended) => gateDocumentSchema.parse(JSON.parse(stdout));
const openIn = (ended: Ended) => gateOf(ended).conditions.flatMap(({ id, met }) => (met ? [] : [id]));
const releaseIn = async (environment: string) =>
  (await ledgerOf(place)).filter(({ id }) => id.includes(environment));

const production =
  (changes: Config) =>
  (config: Config): Config =>
    withEnvironment(config, 'production', changes);

const quick = { rollout: { bake: '0s' } };

async function serving(environment: string): Promise<{ revision: string; digest: string } | null> {
  const { stdout } = await sluice(['status', environment, '--local', '--json']);
  const schema = z.object({
    services: z.tuple([
      z.object({ live: z.object({ revision: z.string(), digest: z.string() }).nullable() }),
    ]),
  });
  return schema.parse(JSON.parse(stdout)).services[0].live;
}

describe('a team promotes', () => {
  beforeAll(async () => {
    await place.configure((config) =>
      production({ gate: { from: 'staging', approvals: 1 }, services: { chat: quick } })(hurried(config)),
    );
    await place.write('.gitignore', '.sluice/\n');
    await git('init', '--quiet');
    await git('add', '.');
    await git('commit', '--quiet', '--message', 'Begin');
  });

  test('nothing that is not there', async () => {
    const ended = await sluice(['gate', ...road, '--json']);
    expect(ended.exitCode).toBe(15);
    expect(openIn(ended)).toEqual(['chat.serves']);
    const { stdout } = await sluice(['gate', ...road]);
    expect(stdout).toMatch(/✖ chat\.serves +nothing serves in staging\n +→ sluice deploy staging --local\n/);
  });

  test('only when somebody else than the deployer has approved it', async () => {
    expect(await sluice(['deploy', 'staging', '--local'], as('ada@example.com'))).toMatchObject({
      exitCode: 0,
    });
    const [{ id } = { id: '' }] = await releaseIn('staging');
    const pending = await sluice(['promote', ...road]);
    expect(pending).toMatchObject({ exitCode: 16 });
    expect(pending.stdout).toMatch(
      new RegExp(`\\? chat\\.approvals .*0 of 1.*\n +→ sluice approve ${id} --local\n`),
    );

    await sluice(['approve', id, '--local'], as('ada@example.com'));
    expect((await sluice(['gate', ...road])).exitCode).toBe(16);
    const approved = await sluice(['approve', id, '--local', '--note', 'tried it'], as('bob@example.com'));
    expect(approved).toMatchObject({ exitCode: 0 });
    expect(approved.stdout).toMatch(/is approved by bob@example\.com/);
  });

  test('the very digest, after a rehearsal that writes nothing', async () => {
    const [{ id } = { id: '' }] = await releaseIn('staging');
    const rehearsed = await sluice(['promote', ...road, '--dry-run', '--json']);
    expect(rehearsed.exitCode).toBe(0);
    expect(gateOf(rehearsed)).toMatchObject({ decision: 'ready', plans: [{ action: 'create' }] });
    expect(await serving('production')).toBeNull();

    const promoted = await sluice(['promote', ...road]);
    expect(promoted).toMatchObject({ exitCode: 0 });
    expect(promoted.stdout).toMatch(
      /gate ready: (\d+) of \1 conditions met {2}risk medium: the service is new there/,
    );
    expect(promoted.stdout).toContain(`from       staging  ${id}`);
    const [staging, live] = await Promise.all([serving('staging'), serving('production')]);
    expect(live?.digest).toBe(staging?.digest);
    expect(live?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    const [release] = (await releaseIn('production')).slice(-1);
    expect(release?.state.started).toMatchObject({
      runbook: 'promote',
      from: { environment: 'staging', releases: [id] },
      commit: (await git('rev-parse', 'HEAD')).stdout,
      dirty: false,
    });
    const beside = await readdir(join(dir, '.sluice/ledger/releases', release?.id ?? ''));
    expect(beside).toContain('evidence-chat.intoto.json');
  });

  test('nothing in a freeze, unless somebody says why, and that is shown for ever', async () => {
    const reason = 'launch week';
    const freeze = [{ from: '2020-01-01', to: '2099-12-31', reason }];
    await place.configure(production({ gate: { freeze }, services: { chat: quick } }));
    const blocked = await sluice(['promote', ...road, '--dry-run']);
    expect(blocked).toMatchObject({ exitCode: 15 });
    expect(blocked.stdout).toMatch(
      /✖ freeze +production is frozen until the end of 2099-12-31 \(UTC\): launch week\n/,
    );
    const lifted = await sluice(['promote', ...road, '--override', 'outage of today'], as('eve@example.com'));
    expect(lifted).toMatchObject({ exitCode: 0 });
    expect(lifted.stdout).toMatch(/! freeze is overridden by eve@example\.com.*: outage of today/);
    const [release] = (await releaseIn('production')).slice(-1);
    const report = await sluice(['report', release?.id ?? '', '--format', 'md']);
    expect(report.stdout).toContain('outage of today');
  });

  test('a release that is bad in production alone, which is rolled back by itself', async () => {
    const before = await serving('production');
    await place.configure(
      production({ gate: {}, services: { chat: { ...quick, env: { CHAT_FAULT: 'import-error' } } } }),
    );
    const bad = await sluice(['promote', ...road, '--json']);
    expect(bad).toMatchObject({ exitCode: 12 });
    const { release, services } = releaseDocumentSchema.parse(JSON.parse(bad.stdout));
    expect(release).toMatchObject({
      rolledBack: true,
      verdict: { decision: 'blocked' },
      gate: { from: 'staging', decision: 'ready', risk: 'medium', overrides: [] },
    });
    expect(services[0]?.diagnosis?.cause).toMatch(/Cannot find module/);
    expect(await serving('production')).toEqual(before);
    expect(bad.stderr).toMatch(/gave \d+ answers in a row/);
  });

  test.each<[string, string[], RegExp]>([
    ['to itself', ['gate', 'staging', 'staging'], /cannot be promoted to itself/],
    ['without a reason for an override', ['promote', ...road, '--override', ' '], /--override says why/],
    [
      'an approval of a release that is not there',
      ['approve', '20200101T000000-staging-aaaa', '--local'],
      /no release/,
    ],
  ])('not %s', async (_, args, told) => {
    const ended = await sluice(args);
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toMatch(told);
  });
});
