import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ReleaseEvent } from '../../src/release/events.ts';
import { type Outcome, openStand, type Stand, type Subject, soundness } from './kit.ts';

vi.setConfig({ maxConcurrency: 8 });

let stand: Stand;
beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.close());

const steps = { rollout: { steps: [10, 50, 100], bakeSeconds: 0.3 } };

/** A service that rolls out in steps, and the revision that serves. */
async function served(name: string): Promise<{ chat: Subject; first: string }> {
  const chat = stand.subject(name, steps);
  const outcome = await chat.deploy();
  expect(outcome).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  return { chat, first: outcome.service.revision ?? '' };
}

function percents({ record }: Outcome, revision: string | null): number[] {
  return record.events.flatMap(({ event }) =>
    event.type === 'traffic.observed' && event.settled
      ? [event.actual.find((one) => one.revision === revision && !one.tag)?.percent ?? 0]
      : [],
  );
}

const weights = async (chat: Subject) =>
  (await chat.live()).actualTraffic
    .filter(({ percent }) => percent > 0)
    .map(({ revision, percent }) => ({ revision, percent }));

test.concurrent('each step is written once, observed, proven and baked, and the tag goes with the last', async () => {
  const { chat, first } = await served('steps');
  await chat.meddle(({ traffic }) => ({
    traffic: [...traffic, { revision: first, percent: 0, tag: 'blue' }],
  }));
  const outcome = await chat.deploy({ patch: { env: { VERSION: '2' } } });
  const second = outcome.service.revision;
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 0, verdict: 'ready', told: '[null,[]]' });
  expect(percents(outcome, second)).toEqual([10, 50, 100]);
  const intended = outcome.record.events.flatMap(({ event }) =>
    event.type === 'traffic.intended' ? [event] : [],
  );
  expect(intended.map(({ step }) => step)).toEqual([
    { number: 1, of: 3, percent: 10 },
    { number: 2, of: 3, percent: 50 },
    { number: 3, of: 3, percent: 100 },
  ]);
  expect(intended.map(({ traffic }) => traffic.some(({ tag }) => tag === 'candidate'))).toEqual([
    true,
    true,
    false,
  ]);
  expect(intended.every(({ traffic }) => traffic.some(({ tag }) => tag === 'blue'))).toBe(true);
  expect(outcome.service.trafficHistory.map(({ step }) => step?.percent)).toEqual([undefined, 10, 50, 100]);

  const proofs = outcome.record.events.flatMap(({ event }) =>
    event.type === 'answer.proven' ? [event] : [],
  );
  const split = proofs.filter(({ from }) => from);
  expect(split).toHaveLength(2);
  for (const { from = [] } of split) {
    expect(from.find(({ revision }) => revision === second)?.answers).toBeGreaterThan(0);
    expect(from.every(({ revision }) => [first, second].includes(revision))).toBe(true);
  }
  expect(await weights(chat)).toEqual([{ revision: second, percent: 100 }]);
});

test.concurrent('a first deploy takes one step: there is nothing to share with', async () => {
  const chat = stand.subject('steps-first', steps);
  const outcome = await chat.deploy();
  expect(percents(outcome, outcome.service.revision)).toEqual([100]);
  expect(outcome.service.plan?.steps.filter((step) => step.startsWith('move'))).toHaveLength(1);
});

test.concurrent('the request log proves a step as well as a response field', async () => {
  const { chat } = await served('steps-by-log');
  const outcome = await chat.deploy({
    patch: { env: { VERSION: '2' }, rollout: { steps: [30, 100], identity: { path: '/health' } } },
  });
  expect(outcome).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  const split = outcome.record.events.flatMap(({ event }) =>
    event.type === 'answer.proven' && event.from ? [event] : [],
  );
  expect(split).toEqual([expect.objectContaining({ by: 'request-log', revision: outcome.service.revision })]);
});

test.concurrent('service-wide settings come with the last step only', async () => {
  const { chat } = await served('steps-settings');
  const settings: number[] = [];
  const outcome = await chat.deploy({
    patch: { env: { VERSION: '2' }, container: { minInstances: 1 } },
    on: (event) => {
      if (event.type === 'traffic.intended') settings.push(event.serviceWide.length);
    },
  });
  expect(outcome.exitCode).toBe(0);
  expect(settings).toEqual([0, 0, 1]);
  expect((await chat.live()).minInstances).toBe(1);
});

/** When the given step bakes. */
const bakes = (number: number) => (event: ReleaseEvent) =>
  event.type === 'progress' && event.note.startsWith(`step ${number} of 3`);

test.concurrent('a fatal line in a step ends it at once, and the former split and foreign tags are back', async () => {
  const { chat, first } = await served('steps-fatal');
  const second = (await chat.deploy({ patch: { env: { VERSION: '2' } } })).service.revision ?? '';
  const former = [
    { revision: first, percent: 60 },
    { revision: second, percent: 40 },
  ];
  const tags = [
    { revision: first, percent: 0, tag: 'blue' },
    { revision: second, percent: 0, tag: 'green' },
  ];
  await chat.meddle(() => ({ traffic: [...former, ...tags] }));
  const outcome = await chat.deploy({
    takeOver: true,
    patch: { env: { VERSION: '3' }, rollout: { bakeSeconds: 60 } },
    on: (event) => {
      if (bakes(1)(event)) void killCandidate(chat);
    },
  });
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 13, rolledBack: true });
  expect(outcome.told).toMatch(/exit code 4/);
  expect(percents(outcome, outcome.service.revision)[0]).toBe(10);
  const { actualTraffic } = await chat.live();
  expect(actualTraffic.map(({ uri, ...one }) => one)).toEqual(expect.arrayContaining([...former, ...tags]));
  expect(actualTraffic.filter(({ percent }) => percent > 0)).toHaveLength(2);
  // Its proof: answers from the revisions of the split, and from nobody else.
  const { proof } = outcome.service;
  expect(proof?.from?.map(({ revision }) => revision).every((name) => [first, second].includes(name))).toBe(
    true,
  );
});

async function killCandidate(chat: Subject): Promise<void> {
  const uri = (await chat.live()).actualTraffic.find(({ tag }) => tag === 'candidate')?.uri;
  if (uri) await fetch(new URL('/die', uri)).catch(() => undefined);
}

test.concurrent('Ctrl-C in a step puts all of it back', async () => {
  const { chat, first } = await served('steps-interrupted');
  const stop = new AbortController();
  const outcome = await chat.deploy({
    patch: { env: { VERSION: '2' } },
    signal: stop.signal,
    on: (event) => {
      if (bakes(2)(event)) stop.abort();
    },
  });
  expect(outcome).toMatchObject({ exitCode: 130, rolledBack: true });
  expect(await weights(chat)).toEqual([{ revision: first, percent: 100 }]);
});

test.concurrent("a rollout whose process died half-way is gone on from: its split is nobody else's", async () => {
  const { chat, first } = await served('steps-died');
  const reached = Promise.withResolvers<void>();
  const dying = chat.deploy({
    patch: { env: { VERSION: '2' }, rollout: { bakeSeconds: 600 } },
    deps: {
      // It never gets to say anything again: as a killed process.
      cloud: {
        ...stand.connection,
        run: {
          ...stand.connection.run,
          updateService: (live, edit, call) => {
            if (live.traffic.some(({ percent }) => percent === 10)) return new Promise(() => undefined);
            return stand.connection.run.updateService(live, edit, call);
          },
        },
      },
      locks: noLocks,
    },
    on: (event) => {
      if (bakes(1)(event)) reached.resolve();
    },
  });
  void dying.catch(() => undefined);
  await reached.promise;
  expect((await weights(chat)).map(({ percent }) => percent).sort()).toEqual([10, 90]);
  const next = await chat.deploy({ patch: { env: { VERSION: '3', FAILS: '/post' } } });
  expect(next).toMatchObject({ exitCode: 13, rolledBack: true });
  expect(next.service.plan?.formerTraffic).toEqual([{ revision: first, percent: 100 }]);
  expect(await weights(chat)).toEqual([{ revision: first, percent: 100 }]);
});

/** The dead one's lock has run out. */
const noLocks = {
  acquire: async () => ({ lost: new AbortController().signal, release: async () => undefined }),
  holder: async () => undefined,
};
