import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LogsCheck } from '../../src/config/check-spec.ts';
import type { Signature } from '../../src/ledger/statements.ts';
import { sign } from '../../src/release/sign.ts';
import { summaryLines } from '../../src/report/summary.ts';
import { plainTheme } from '../../src/terminal/theme.ts';
import {
  allTo,
  call,
  httpCheck,
  logsCheck,
  manualCheck,
  type Outcome,
  openStand,
  type Stand,
  type Subject,
  soundness,
} from './kit.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.close());

const summaryOf = ({ state }: Outcome) => summaryLines(state, plainTheme).join('\n');
const statuses = ({ service }: Outcome) =>
  service.checks.map(({ id, stage, status }) => `${id} ${stage} ${status}`);

/** What a person would answer by hand. */
const answerFor = (chat: Subject, item: string, outcome: Signature['outcome'] = 'passed') =>
  sign(
    {
      targets: [chat.target],
      ...{ environment: 'staging', item, outcome, note: 'seen', git: 'ada@example.com' },
      command: 'sluice deploy staging --local',
    },
    {
      cloud: stand.connection,
      statements: chat.statements,
      ...call,
      now: () => new Date('2026-11-27T08:00:00Z'),
    },
  );

test.concurrent('a checklist is run against what is live, proven, recorded, and without a lock', async () => {
  const chat = stand.subject('checked');
  const { service: deployed } = await chat.deploy();
  const before = await chat.live();
  const during: Promise<Outcome>[] = [];
  // Somebody deploys all the while: neither waits for the other.
  const next = await chat.deploy({
    patch: { env: { VERSION: '2' } },
    on: (event) => {
      if (event.type === 'stage.started' && event.stage === 'startup') during.push(chat.check());
    },
  });
  const [outcome] = await Promise.all(during);
  if (!outcome) throw new Error('the startup is a stage');
  expect(next).toMatchObject({ exitCode: 0, verdict: 'ready' });
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({
    exitCode: 0,
    verdict: 'ready',
    state: { finished: { outcome: 'succeeded' } },
  });
  expect(statuses(outcome)).toEqual(['post post passed']);
  expect(outcome.service).toMatchObject({
    observed: { serving: deployed.revision, image: expect.stringContaining('@sha256:') },
    proof: { revision: deployed.revision, answers: 2 },
  });
  expect(outcome.record.events[0]?.event).toMatchObject({ type: 'release.started', runbook: 'check' });
  expect(summaryOf(outcome)).toContain('✔ checked has passed its checks in staging');
  expect(before.etag).not.toBe((await chat.live()).etag);
});

test.concurrent('a required check that fails ends with 13, an advisory one is told, and nothing is written', async () => {
  const chat = stand.subject('failing', { env: { FAILS: '/bad /tea' } });
  await chat.deploy();
  const { etag } = await chat.live();
  const checklist = [httpCheck('post', 'post'), { ...httpCheck('tea', 'post'), required: false }];
  const good = await chat.check({ patch: { checklist } });
  expect(good).toMatchObject({ exitCode: 0, verdict: 'ready' });
  expect(summaryOf(good)).toMatch(
    /! tea +post +\d+ ms +advisory, failed: GET \/tea: expected status 200, found 500/,
  );
  expect(summaryOf(good)).toContain('2 of 2 conditions met, 1 advisory check not passed');

  const bad = await chat.check({ patch: { checklist: [...checklist, httpCheck('bad', 'post')] } });
  expect(soundness(bad)).toEqual([]);
  expect(bad).toMatchObject({ exitCode: 13, verdict: 'blocked', rolledBack: false });
  expect(summaryOf(bad)).toContain('✖ failing has not passed its checks in staging');

  const only = await chat.check({
    patch: { checklist: [...checklist, httpCheck('bad', 'post')] },
    only: 'post',
  });
  expect(only).toMatchObject({ exitCode: 0, verdict: 'ready', state: { started: { only: 'post' } } });
  expect(statuses(only)).toEqual(['post post passed']);
  expect(summaryOf(only)).toContain('this tells nothing of the other checks');
  expect((await chat.live()).etag).toBe(etag);
});

test.concurrent('a startup check reads the start of long ago from the log', async () => {
  const chat = stand.subject('long-ago', { env: { SAYS: 'phase=INIT seconds=0.5' } });
  await chat.deploy();
  const startup = { phases: ['INIT'] };
  const spec = { ...manualCheck('startup'), kind: 'startup' as const };
  const good = await chat.check({ patch: { startup, checklist: [spec] } });
  expect(good).toMatchObject({ exitCode: 0, service: { profile: { phases: [{ name: 'INIT' }] } } });
  const bad = await chat.check({ patch: { startup: { phases: ['DATABASE'] }, checklist: [spec] } });
  expect(bad).toMatchObject({ exitCode: 13 });
  expect(bad.told).toContain('phase DATABASE was not reported');
});

test.concurrent('there must be something to check: one revision that serves, or a candidate', async () => {
  const chat = stand.subject('nothing');
  const absent = await chat.check();
  expect(absent).toMatchObject({ exitCode: 10, verdict: 'blocked' });
  expect(summaryOf(absent)).toContain('nothing does not exist in staging: there is nothing to check');

  const first = await chat.deploy();
  const none = await chat.check({ stage: 'candidate' });
  expect(none).toMatchObject({ exitCode: 10 });
  expect(none.told).toContain('no revision has the tag `candidate`');

  const failed = await chat.deploy({ patch: { env: { FAILS: '/candidate' } } });
  expect(failed).toMatchObject({ exitCode: 13, rolledBack: true });
  const again = await chat.check({ stage: 'candidate' });
  expect(again).toMatchObject({ exitCode: 13 });
  expect(again.service).toMatchObject({
    candidate: { revision: failed.service.revision },
    proof: { revision: failed.service.revision },
  });
  expect(summaryOf(again)).toMatch(new RegExp(`revision +${failed.service.revision} `));

  await chat.meddle(() => ({
    traffic: [
      { revision: first.service.revision ?? '', percent: 50 },
      { revision: failed.service.revision ?? '', percent: 50 },
    ],
  }));
  const split = await chat.check();
  expect(split).toMatchObject({ exitCode: 10 });
  expect(split.told).toContain('A checklist speaks of one revision');
  await expect(answerFor(chat, 'right')).rejects.toThrow('There is no manual check right');
});

test.concurrent('a check during which the traffic moves is evidence of nothing', async () => {
  const chat = stand.subject('moving');
  const first = await chat.deploy();
  const second = await chat.deploy({ patch: { env: { VERSION: '2' } } });
  const moved: Promise<void>[] = [];
  const slow: LogsCheck = { ...logsCheck('slow', ['never']), stages: ['post'], windowSeconds: 1.5 };
  const outcome = await chat.check({
    patch: { checklist: [slow] },
    on: (event) => {
      if (event.type === 'check.started') moved.push(chat.meddle(allTo(first.service.revision ?? '')));
    },
  });
  await Promise.all(moved);
  expect(outcome).toMatchObject({ exitCode: 17, verdict: 'blocked' });
  expect(outcome.told).toContain(`${second.service.revision} served, now ${first.service.revision} 100 %`);
});

test.concurrent('an error that the revision before did not log stops the next one, before its traffic', async () => {
  const regressions: LogsCheck = { ...logsCheck('no-new-errors', []), regressions: true };
  const chat = stand.subject('regressing', { checklist: [regressions] });
  const first = await chat.deploy({ patch: { env: { SAYS: 'ERROR: cache 17 is cold' } } });
  expect(first).toMatchObject({ exitCode: 0 });
  expect(first.service.checks[0]?.reason).toContain(
    'nothing served before to compare with: 1 error of its own, "cache 17 is cold"',
  );
  const same = await chat.deploy({ patch: { env: { SAYS: 'ERROR: cache 2893 is cold' } } });
  expect(same).toMatchObject({ exitCode: 0 });
  expect(same.service.checks[0]?.reason).toContain(`1 error, all known of ${first.service.revision}`);
  const worse = await chat.deploy({
    patch: { env: { SAYS: 'ERROR: cache 3 is cold|ERROR: cannot reach db-7 at 10.0.0.7' } },
  });
  expect(worse).toMatchObject({ exitCode: 13, rolledBack: true });
  expect(worse.service.checks[0]?.reason).toBe(
    `1 error that ${same.service.revision} did not log: "cannot reach db-7 at 10.0.0.7"`,
  );
  expect(await chat.serves()).toBe(same.service.revision);
  // The service's annotations tell of the release that failed; the ledger knows what came before.
  const later = await chat.check({ patch: { checklist: [{ ...regressions, stages: ['post'] }] } });
  expect(later).toMatchObject({ exitCode: 0, verdict: 'ready' });
  expect(later.service.checks[0]?.reason).toContain(`1 error, all known of ${first.service.revision}`);
});

test.concurrent('what a check was answered is judged by the check, and is no error of the log besides', async () => {
  const regressions: LogsCheck = { ...logsCheck('log', []), regressions: true, windowSeconds: 1 };
  const tea = { ...httpCheck('tea', 'candidate'), required: false };
  const chat = stand.subject('refusing', {
    checklist: [tea, { ...regressions, stages: ['candidate', 'post'] }],
  });
  await chat.deploy();
  const outcome = await chat.deploy({ patch: { env: { FAILS: '/tea' } } });
  expect(outcome).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  // Which of the candidate's checks ends first is not said.
  expect(statuses(outcome).toSorted()).toEqual([
    'log candidate passed',
    'log post passed',
    'tea candidate failed',
  ]);
  expect(outcome.service.checks.at(-1)?.reason).toContain('no error');
});

test.concurrent.each([-1, 1])(
  'a clock that jumps by %i day changes no duration and hides no line',
  async (days) => {
    const regressions: LogsCheck = {
      ...logsCheck('log', ['never']),
      stages: ['candidate', 'post'],
      regressions: true,
    };
    const chat = stand.subject(`jumping${days}`, { checklist: [httpCheck('post', 'post'), regressions] });
    await chat.deploy({ patch: { env: { SAYS: 'ERROR: cache 17 is cold' } } });
    let jump = 0;
    const outcome = await chat.deploy({
      patch: { env: { SAYS: 'ERROR: cache 18 is cold' } },
      on: (event) => {
        if (event.type === 'stage.started' && event.stage === 'checks') jump = days * 24 * 3600 * 1000;
      },
      deps: { now: () => Date.now() + jump },
    });
    expect(soundness(outcome)).toEqual([]);
    expect(outcome).toMatchObject({ exitCode: 0, told: '[null,[]]' });
    const seconds = Object.values(outcome.service.stages).flatMap((stage) => stage.seconds ?? []);
    expect(seconds.filter((each) => each < 0 || each > 60)).toEqual([]);
    for (const { id, reason } of outcome.service.checks)
      if (id === 'log') expect(reason).toContain('1 error, all known of');
  },
);

test.concurrent('a question waits for a person, stops no deploy, and is asked anew of a new revision', async () => {
  const checklist = [httpCheck('post', 'post'), manualCheck('right'), manualCheck('pretty')];
  const chat = stand.subject('asked', { checklist });
  const first = await chat.deploy();
  expect(soundness(first)).toEqual([]);
  expect(first).toMatchObject({
    exitCode: 0,
    verdict: 'pending',
    state: { finished: { outcome: 'succeeded' } },
  });
  expect(summaryOf(first)).toContain('→ sluice sign staging right --note "…"');
  const revision = first.service.revision;
  expect(await chat.serves()).toBe(revision);

  const again = await chat.deploy();
  expect(again).toMatchObject({
    exitCode: 0,
    verdict: 'pending',
    service: { finished: { outcome: 'unchanged' } },
  });
  expect(await chat.revisions()).toEqual([revision]);

  const signed = await answerFor(chat, 'right');
  expect(signed).toMatchObject({
    signature: { item: 'right', outcome: 'passed', revision, at: '2026-11-27T08:00:00.000Z' },
    open: [{ item: 'pretty' }],
  });
  const waiting = await chat.check();
  expect(waiting).toMatchObject({ exitCode: 16, verdict: 'pending' });
  expect(statuses(waiting).sort()).toEqual(['post post passed', 'pretty post pending', 'right post passed']);
  expect(summaryOf(waiting)).toContain('? asked waits for a person: the other checks have passed');

  await answerFor(chat, 'pretty', 'failed');
  expect(await chat.check()).toMatchObject({ exitCode: 13, verdict: 'blocked' });
  expect(await chat.deploy()).toMatchObject({ exitCode: 13, verdict: 'blocked', rolledBack: false });
  await answerFor(chat, 'pretty');
  expect(await chat.check()).toMatchObject({ exitCode: 0, verdict: 'ready' });
  expect(await chat.deploy()).toMatchObject({ exitCode: 0, verdict: 'ready' });

  const next = await chat.deploy({ patch: { env: { VERSION: '2' } } });
  expect(next).toMatchObject({ exitCode: 0, verdict: 'pending' });
  expect(next.service.checks.find(({ id }) => id === 'right')?.reason).toContain(
    `nobody has answered for ${next.service.revision} (void: passed for ${revision}, says ada@example.com`,
  );
});

test.concurrent('only what a person can answer is signed, for what serves alone', async () => {
  const chat = stand.subject('signing', { checklist: [httpCheck('post', 'post'), manualCheck('right')] });
  await expect(answerFor(chat, 'right')).rejects.toThrow('there is nothing to answer for');
  await expect(answerFor(chat, 'post')).rejects.toThrow('no person answers it');
  await expect(answerFor(chat, 'rigth')).rejects.toThrow('Did you mean right?');
  const first = await chat.deploy();
  const second = await chat.deploy({ patch: { env: { VERSION: '2' } } });
  await chat.meddle(() => ({
    traffic: [first, second].map(({ service }) => ({ revision: service.revision ?? '', percent: 50 })),
  }));
  await expect(answerFor(chat, 'right')).rejects.toThrow('An answer is for one revision');
  expect(await chat.statements.signatures({ environment: 'staging', service: 'signing' })).toEqual([]);
});
