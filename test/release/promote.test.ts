import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { registryAdapter } from '../../src/cloud/registry-adapter.ts';
import { Waiting } from '../../src/cloud/waiting.ts';
import type { CommandCheck } from '../../src/config/check-spec.ts';
import { testResultSchema } from '../../src/gate/test-result.ts';
import { statementName } from '../../src/release/attest.ts';
import { Secret } from '../../src/secret.ts';
import { commandCheck, node } from '../checks/programs.ts';
import { openRegistry, putImage } from '../cloud/registry-kit.ts';
import { allTo, httpCheck, openStand, type Stand, soundness } from './kit.ts';
import { openIn, openRoads } from './promotion-kit.ts';

vi.setConfig({ maxConcurrency: 12 });

let stand: Stand;
let roads: Awaited<ReturnType<typeof openRoads>>;
beforeAll(async () => {
  stand = await openStand();
  roads = await openRoads(stand);
});
afterAll(async () => {
  await roads.close();
  await stand.close();
});

const image = `images/app@sha256:${'a'.repeat(64)}`;
const given = { build: { repository: 'images/app', image, timeoutSeconds: 60 } };
const other = { build: { ...given.build, image: `images/app@sha256:${'b'.repeat(64)}` } };
const frozen = {
  freeze: [
    { kind: 'once', from: '2020-01-01', to: '2099-12-31', timeZone: 'UTC', reason: 'launch' } as const,
  ],
};
const said = (git: string) => ({ git, account: '' });

test.concurrent('what was checked before the build counts as evidence, and is not checked again', async () => {
  const unit = commandCheck(node(''), { id: 'unit', stages: ['predeploy'] });
  const road = roads.road('checked-before', { ...given, checklist: [unit, httpCheck('post', 'post')] });
  await road.staging.deploy();
  const promoted = await road.promote();
  expect(promoted.exitCode, JSON.stringify(promoted.state.finished?.verdict)).toBe(0);
  const gate = promoted.state.gate?.verdict.conditions.find(({ id }) => id.endsWith('.predeploy.unit'));
  expect(gate).toMatchObject({ met: true });
  expect(promoted.service.checks.map(({ id }) => id)).toEqual(['post']);
});

test.concurrent('takes the very digest into an empty production, with its own config', async () => {
  const road = roads.road('first', given);
  const deployed = await road.staging.deploy({ patch: { env: { STAGE: 'staging' } } });
  const promoted = await road.promote({ patch: { env: { STAGE: 'production' } } });
  expect(soundness(promoted)).toEqual([]);
  expect(promoted).toMatchObject({ exitCode: 0, verdict: 'ready', told: '[null,[]]' });
  expect(promoted.state.started).toMatchObject({
    runbook: 'promote',
    environment: 'production',
    from: { environment: 'staging', releases: [deployed.id] },
  });
  expect(promoted.state.gate).toMatchObject({
    from: 'staging',
    to: 'production',
    risk: 'medium',
    overrides: [],
  });
  expect(promoted.service.build).toMatchObject({ outcome: 'given', image });
  const live = await road.production.live();
  expect(live).toMatchObject({ public: true, template: { image, env: { STAGE: 'production' } } });
  expect(await road.production.serves()).toBe(promoted.service.revision);

  const again = await road.promote({ patch: { env: { STAGE: 'production' } } });
  expect(again).toMatchObject({ exitCode: 0, verdict: 'ready' });
  expect(again.service.finished?.outcome).toBe('unchanged');
});

test.concurrent('asks nothing of the source again: that was done where it was built', async () => {
  const program = (code: number): CommandCheck => ({
    ...{
      id: 'source',
      kind: 'command',
      stages: ['predeploy'],
      required: true,
      successes: 1,
      timeoutSeconds: 20,
    },
    ...{ command: [process.execPath, '-e', `process.exit(${code})`], exitCode: [0], dir: '.', env: {} },
    output: { present: [], absent: [] },
  });
  const checklist = [httpCheck('candidate', 'candidate'), httpCheck('post', 'post'), program(0)];
  const road = roads.road('sourced', { ...given, checklist });
  expect(await road.staging.deploy()).toMatchObject({ exitCode: 0 });
  const promoted = await road.promote({ patch: { checklist: [...checklist.slice(0, 2), program(1)] } });
  expect(promoted).toMatchObject({ exitCode: 0, verdict: 'ready' });
  expect(promoted.state.gate?.verdict.conditions.map(({ id }) => id)).toContain(
    'sourced.check.predeploy.source',
  );
});

test.concurrent('writes the evidence as in-toto statements, about the digest', async () => {
  const road = roads.road('attested', given);
  const deployed = await road.staging.deploy();
  const promoted = await road.promote();
  const bad = await road.staging.deploy({ patch: { ...other, env: { FAILS: '/post' } } });
  const read = async (id: string) => {
    const bytes = await road.staging.ledger.attachment(id, statementName('attested'));
    return testResultSchema.parse(JSON.parse(Buffer.from(bytes ?? []).toString()));
  };
  for (const { id } of [deployed, promoted]) {
    const { subject, predicate } = await read(id);
    expect(subject).toEqual([{ name: 'images/app', digest: { sha256: 'a'.repeat(64) } }]);
    expect(predicate).toMatchObject({ result: 'PASSED', failedTests: [], warnedTests: [] });
    expect(predicate.passedTests).toEqual(
      expect.arrayContaining([
        'started',
        'check.candidate.candidate',
        'check.post.post',
        'traffic',
        'answers',
      ]),
    );
    expect(predicate.configuration.map(({ name }) => name)).toEqual([
      'check.candidate.candidate',
      'check.post.post',
    ]);
    expect(predicate.url).toMatch(new RegExp(`^file://.*/releases/${id}$`));
  }
  const failed = await read(bad.id);
  expect(failed.subject[0]?.digest.sha256).toBe('b'.repeat(64));
  expect(failed.predicate.result).toBe('FAILED');
  expect(failed.predicate.failedTests).toContain('check.post.post');
});

describe('a gate that is not open writes nothing', () => {
  test.concurrent('blocked by a check that nobody has run', async () => {
    const road = roads.road('blocked', given);
    await road.staging.deploy();
    const checklist = [
      httpCheck('candidate', 'candidate'),
      httpCheck('post', 'post'),
      httpCheck('new', 'post'),
    ];
    const blocked = await road.promote({ from: { checklist } });
    expect(blocked).toMatchObject({ exitCode: 15, verdict: 'blocked' });
    expect(soundness(blocked)).toEqual([]);
    expect(openIn(blocked.state.gate)).toEqual(['blocked.check.post.new']);
    expect(await road.production.live()).toBeUndefined();
    expect(blocked.service.finished).toMatchObject({ outcome: 'not-started', reason: 'gate-blocked' });
  });

  test.concurrent('pending until somebody else approves', async () => {
    const road = roads.road('pending', given);
    const { id } = await road.staging.deploy();
    const gate = { approvals: 1 };
    const pending = await road.promote({ gate });
    expect(pending).toMatchObject({ exitCode: 16, verdict: 'pending' });
    expect(pending.state.finished?.verdict.conditions.find(({ met }) => !met)).toMatchObject({
      id: 'pending.approvals',
      pending: true,
      remedy: `sluice approve ${id}`,
    });
    const approve = (git: string) =>
      road.statements.approve({ v: 1, release: id, note: '', by: said(git), at: new Date().toISOString() });
    // Whoever deployed it.
    await approve('anna@example.com');
    expect(await road.promote({ gate })).toMatchObject({ exitCode: 16 });
    await approve('bob@example.com');
    expect(await road.promote({ gate })).toMatchObject({ exitCode: 0 });
  });

  test.concurrent('frozen, until somebody says why not', async () => {
    const road = roads.road('frozen', given);
    await road.staging.deploy();
    const blocked = await road.promote({ gate: frozen });
    expect(blocked.exitCode).toBe(15);
    expect(openIn(blocked.state.gate)).toEqual(['freeze']);
    const lifted = await road.promote({ gate: frozen, asked: { override: 'outage' } });
    expect(lifted).toMatchObject({ exitCode: 0, verdict: 'ready' });
    expect(lifted.state.gate?.overrides).toEqual([
      { condition: 'freeze', why: 'outage', who: 'eve@example.com' },
    ]);
    expect((await road.staging.ledger.read(lifted.id))?.events[1]?.event).toMatchObject({
      type: 'gate.judged',
      overrides: [{ why: 'outage' }],
    });
  });

  test.concurrent('when staging is split, or nothing is there', async () => {
    const road = roads.road('split', given);
    expect(openIn((await road.promote()).state.gate)).toEqual(['split.serves']);
    const one = await road.staging.deploy();
    const two = await road.staging.deploy({ patch: { env: { V: '2' } } });
    await road.staging.meddle(() => ({
      traffic: [one, two].map(({ service }) => ({ revision: service.revision ?? '', percent: 50 })),
    }));
    const { judgement, promotable } = await road.judge();
    expect(openIn(judgement)).toEqual(['split.serves']);
    expect(promotable).toEqual([]);
  });

  test.concurrent('when what serves is not what was checked', async () => {
    const road = roads.road('elsewhere', given);
    const old = await road.staging.deploy();
    const now = await road.staging.deploy({ patch: { ...other, env: { V: '2' } } });
    expect((await road.judge()).judgement.verdict.decision).toBe('ready');
    // Somebody else moves staging back: what it serves was checked before, not since.
    await road.staging.meddle(allTo(old.service.revision ?? ''));
    const open = openIn((await road.judge()).judgement);
    expect(open).toEqual(expect.arrayContaining(['elsewhere.answers']));
    expect(now.exitCode).toBe(0);
  });

  test.concurrent('when a variable for tests would reach production', async () => {
    const road = roads.road('e2e', given);
    await road.staging.deploy({ patch: { e2e: { env: { E2E_KEY: 'k' }, headers: {} } } });
    const e2eNames = { env: new Set(['E2E_KEY']), headers: new Set<string>() };
    const judged = await road.judge({ e2eNames, patch: { env: { E2E_KEY: 'k' } } });
    expect(openIn(judged.judgement)).toEqual(['e2e.e2e']);
    // One that is there already, whoever set it.
    await road.promote({ patch: { env: { E2E_KEY: 'k' } } });
    expect(openIn((await road.judge({ e2eNames })).judgement)).toEqual([]);
    expect(openIn((await road.judge({ e2eNames, patch: { env: { E2E_KEY: '' } } })).judgement)).toEqual([
      'e2e.e2e',
    ]);
  });

  test.concurrent('when its secrets do not exist, until they do; its account likewise', async () => {
    const road = roads.road('secrets', given);
    await road.staging.deploy();
    const patch = {
      secrets: { API_KEY: { secret: 'api-key', version: 'latest' } },
      container: { serviceAccount: 'runner@prod-project.iam.gserviceaccount.com' },
    };
    const { judgement } = await road.judge({ patch });
    expect(openIn(judgement)).toEqual(['secrets.secret', 'secrets.service-account']);
    expect(judgement.verdict.conditions.find(({ id }) => id === 'secrets.secret')?.reason).toBe(
      'api-key:latest does not exist (Secret [projects/prod-project/secrets/api-key] not found.)',
    );
    await roads.keepSecret('api-key', 'the value');
    const again = (await road.judge({ patch })).judgement;
    expect(openIn(again)).toEqual(['secrets.service-account']);
    expect(again.verdict.conditions.find(({ id }) => id === 'secrets.service-account')?.reason).toContain(
      'runner@prod-project.iam.gserviceaccount.com does not exist',
    );
    await roads.keepAccount('runner');
    expect(openIn((await road.judge({ patch })).judgement)).toEqual([]);
  });

  test.concurrent('when somebody has mended the evidence by hand', async () => {
    const road = roads.road('mended', given);
    const { id } = await road.staging.deploy();
    const folder = join(road.staging.ledgerFolder, 'releases', id);
    const segments = readdirSync(folder).filter((name) => name.endsWith('.ndjson'));
    const holds = (name: string) => readFileSync(join(folder, name), 'utf8').includes('check.finished');
    const file = join(folder, segments.find(holds) ?? '');
    const mended = readFileSync(file, 'utf8').replace('"required":true', '"required":false');
    rmSync(file);
    writeFileSync(file, mended);
    expect(openIn((await road.judge()).judgement)).toContain('mended.evidence');
  });

  test.concurrent('when the evidence is too old', async () => {
    const road = roads.road('old', given);
    await road.staging.deploy();
    const tomorrow = () => Date.now() + 86_400_000;
    expect(openIn((await road.judge({ now: tomorrow })).judgement)).toEqual(['old.check.post.post']);
  });
});

describe('after a rollback in staging', () => {
  const rolledBack = async (service: string, now: boolean) => {
    const road = roads.road(service, given);
    const old = await road.staging.deploy();
    await road.staging.deploy({ patch: { env: { V: '2' } } });
    const back = await road.staging.rollback({ now });
    expect(back).toMatchObject({ exitCode: 0 });
    return { old, judged: await road.judge() };
  };

  test.concurrent('what it checked and proved counts, about the revision that serves again', async () => {
    const { old, judged } = await rolledBack('back', false);
    expect(openIn(judged.judgement)).toEqual([]);
    expect(judged.promotable).toMatchObject([{ revision: old.service.revision, release: old.id }]);
  });

  test.concurrent('one that checked nothing leaves nothing to promote on', async () => {
    const { judged } = await rolledBack('back-now', true);
    expect(openIn(judged.judgement)).toEqual(['back-now.check.post.post']);
  });
});

describe('the commit that production runs', () => {
  const [older, newer] = ['aaaaaaa', 'bbbbbbb'];
  const git = { isAncestor: async (commit: string, of: string) => commit === older && of === newer };
  const by = (commit: string) => ({ actor: { who: 'anna@example.com', commit, dirty: false } });

  test.concurrent('must not be newer, unless that is allowed and recorded', async () => {
    const road = roads.road('commits', given);
    await road.staging.deploy({ deps: by(newer) });
    expect(await road.promote({ git })).toMatchObject({ exitCode: 0 });
    const back = await road.staging.deploy({ patch: { ...other }, deps: by(older) });
    expect(back.exitCode).toBe(0);
    const blocked = await road.promote({ git });
    expect(blocked.exitCode).toBe(15);
    expect(openIn(blocked.state.gate)).toEqual(['commits.commit']);
    const allowed = await road.promote({ git, asked: { allowOlder: true } });
    expect(allowed).toMatchObject({ exitCode: 0 });
    expect(allowed.state.gate?.overrides).toMatchObject([{ condition: 'commits.commit' }]);
    expect(allowed.state.started).toMatchObject({ commit: older, dirty: false });
  });

  test.concurrent('is followed through promotions, and its commits are recorded', async () => {
    const road = roads.road('history', given);
    await road.staging.deploy({ deps: by(older) });
    await road.promote({ git });
    await road.staging.deploy({ patch: other, deps: by(newer) });
    const asked: string[][] = [];
    const commitsBetween = async (...range: [string, string, number]) => {
      asked.push(range.slice(0, 2).map(String));
      return [{ id: newer, subject: 'Answer in French' }];
    };
    const promoted = await road.promote({ git: { ...git, commitsBetween } });
    expect(asked).toEqual([[older, newer]]);
    expect(promoted.state.started?.commits).toEqual([{ id: newer, subject: 'Answer in French' }]);
  });

  test.concurrent('when git cannot tell, it is not assumed to be older', async () => {
    const road = roads.road('untold', given);
    await road.staging.deploy({ deps: by(older) });
    await road.promote();
    await road.staging.deploy({ patch: other, deps: by(newer) });
    expect(openIn((await road.judge()).judgement)).toEqual(['untold.commit']);
  });
});

describe('meanwhile', () => {
  test.concurrent('a second promotion is told who holds the lock', async () => {
    const road = roads.road('twice', given);
    await road.staging.deploy();
    let second: Promise<unknown> | undefined;
    const first = await road.promote({
      on: (event) => {
        if (event.type === 'gate.judged')
          second = road.promote({ who: 'bob@x' }).catch((error: unknown) => error);
      },
    });
    expect(first.exitCode).toBe(0);
    expect(await second).toMatchObject({
      exitCode: 17,
      message: expect.stringMatching(/locked by eve@example\.com.*sluice promote staging production/),
    });
  });

  test.concurrent('evidence that is voided before the first write stops it', async () => {
    const road = roads.road('voided', given);
    await road.staging.deploy();
    const now = { value: Date.now };
    const stopped = await road.promote({
      now: () => now.value(),
      on: (event) => {
        if (event.type === 'gate.judged') now.value = () => Date.now() + 86_400_000;
      },
    });
    expect(soundness(stopped)).toEqual([]);
    expect(stopped).toMatchObject({ exitCode: 15, verdict: 'blocked' });
    expect(stopped.told).toMatch(/gate closed before anything was written/);
    expect(openIn(stopped.state.gate)).toEqual(['voided.check.post.post']);
    expect(await road.production.live()).toBeUndefined();
  });

  test.concurrent('another revision in staging is not what the gate has judged', async () => {
    const road = roads.road('moved', given);
    await road.staging.deploy();
    const stopped = await road.promote({
      beforeLook: async (look) => {
        if (look === 2) await road.staging.deploy({ patch: { env: { V: '2' } } });
      },
    });
    expect(stopped).toMatchObject({ exitCode: 15, rolledBack: false });
    expect(stopped.told).toMatch(/staging no longer serves moved-r.*It now serves moved-r/);
    expect(await road.production.live()).toBeUndefined();
  });
});

describe('an image that shall lie in the own project', () => {
  const copying = async (service: string) => {
    const registry = await openRegistry();
    const road = roads.road(service, given);
    const digest = putImage(registry, 'app', [service]);
    const build = { ...given.build, image: `images/app@${digest}` };
    await road.staging.deploy({ patch: { build } });
    const token = async () => new Secret('');
    const attempt = {
      from: { build },
      patch: { build: { repository: 'images/copied', timeoutSeconds: 60 } },
      registry: registryAdapter({ origin: () => registry.origin, token }, new Waiting()),
    };
    return { registry, road, digest, attempt };
  };

  test.concurrent('is copied there, its digest unchanged', async () => {
    const { registry, road, digest, attempt } = await copying('copied');
    const promoted = await road.promote(attempt);
    expect(promoted).toMatchObject({ exitCode: 0 });
    expect((await road.production.live())?.template.image).toBe(`images/copied@${digest}`);
    expect(registry.manifests.has(`copied/${digest}`)).toBe(true);
    await registry.close();
  });

  test.concurrent('and cannot be copied: nothing is written', async () => {
    const { registry, road, attempt } = await copying('uncopied');
    registry.lie = { manifest: (bytes) => Buffer.from(bytes.map((byte) => byte ^ 1)) };
    const failed = await road.promote(attempt);
    expect(failed).toMatchObject({ exitCode: 11, rolledBack: false, verdict: 'blocked' });
    expect(failed.told).toMatch(/could not be copied.*answered another manifest/);
    expect(await road.production.live()).toBeUndefined();
    await registry.close();
  });
});

describe('a release that is bad in production alone', () => {
  test.concurrent.each([
    ['on the candidate', 'FAILS', '/candidate', 13],
    ['under traffic', 'FAILS', '/post', 13],
    ['at its start', 'START', 'exit-3', 12],
  ])(
    '%s is rolled back by itself, and the former revision is proven to answer',
    async (_, key, value, exitCode) => {
      const road = roads.road(`bad-${exitCode}${value.replace(/\W/g, '-')}`, given);
      await road.staging.deploy();
      const good = await road.promote();
      expect(good.exitCode).toBe(0);
      await road.staging.deploy({ patch: other });
      const bad = await road.promote({ patch: { env: { [key]: value } } });
      expect(soundness(bad)).toEqual([]);
      expect(bad).toMatchObject({ exitCode, rolledBack: true, verdict: 'blocked' });
      expect(bad.state.gate?.verdict.decision).toBe('ready');
      expect(bad.service.proof?.revision).toBe(good.service.revision);
      expect(await road.production.serves()).toBe(good.service.revision);
    },
  );
});
