import { describe, expect, test } from 'vitest';
import { templateDifference } from '../../src/plan/diff.ts';
import { candidateEdit, restoreEdit, rollbackEdit, unpinEdit, warmEdit } from '../../src/plan/edits.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { readMarks } from '../../src/plan/marks.ts';
import { makeRollbackPlan } from '../../src/plan/rollback-plan.ts';
import { foreignTags } from '../../src/plan/traffic.ts';
import { sampleLive, sampleRevision, sampleTarget, sampleTemplate } from './samples.ts';

const hold = { release: 'r-1', reason: 'it is broken', who: 'anna', at: '2026-01-01T00:00:00Z' };
const serving = [{ revision: 'chat-1', percent: 100 }];

function held(text: string, traffic = serving) {
  return sampleLive(traffic, {
    annotations: { 'sluice.dev/pin': 'chat-1', 'sluice.dev/verified': 'chat-1', 'sluice.dev/hold': text },
  });
}

function deployPlan(live = held(JSON.stringify(hold)), changes = {}) {
  return makePlan({
    ...{ target: sampleTarget(changes), live, revisions: [sampleRevision('chat-1')], source: null },
    ...{ image: { from: 'given', reference: sampleTemplate().image }, revisionSuffix: 'new' },
    ...{ takeOverTraffic: true, command: 'sluice deploy staging --local' },
  });
}

describe('a hold', () => {
  test.each([
    [JSON.stringify(hold), hold],
    ['wait for Monday', { release: '', reason: 'wait for Monday', who: '', at: '' }],
    ['{"release":1}', { release: '', reason: '{"release":1}', who: '', at: '' }],
    ['', null],
  ])('written as %j', (text, read) => {
    expect(readMarks({ 'sluice.dev/hold': text }).hold).toEqual(read);
  });

  test('stops a deploy that would move the traffic, whatever else is taken over', () => {
    expect(deployPlan(undefined, { env: { LOG_LEVEL: 'debug' } })).toMatchObject({
      hold,
      blockers: [{ what: expect.stringContaining('it is broken'), next: ['sluice unpin staging --local'] }],
    });
  });

  test('is told when there is nothing to deploy', () => {
    expect(deployPlan()).toMatchObject({
      action: 'none',
      blockers: [],
      notes: [expect.stringContaining('held by anna')],
    });
  });
});

describe('the writes of a rollback', () => {
  const revisions = [
    sampleRevision('chat-2', { createdAt: '2026-02-02T00:00:00Z' }),
    sampleRevision('chat-1'),
  ];
  const traffic = [
    { revision: 'chat-2', percent: 100 },
    { revision: 'chat-3', percent: 0, tag: 'candidate' },
    { revision: 'chat-1', percent: 0, tag: 'blue' },
  ];
  const live = sampleLive(traffic, {
    annotations: {
      'sluice.dev/pin': 'chat-2',
      'sluice.dev/candidate': 'chat-3',
      'sluice.dev/hold': JSON.stringify(hold),
    },
  });
  const target = { revision: 'chat-1', release: 'r-0', at: null, passed: true };
  const { plan } = makeRollbackPlan({
    ...{ target: sampleTarget(), live, revisions, past: [], now: false, command: 'sluice rollback staging' },
    ...{ takeOverTraffic: false, acceptSchemaRisk: false },
    choice: { kind: 'chosen', target, undoes: null, because: 'asked for' },
  });
  const named = { ...plan, revision: 'chat-1' };
  const blue = { revision: 'chat-1', tag: 'blue', percent: 0 };

  test('the warming keeps what serves and foreign tags; a dead candidate holds up no routes', () => {
    expect(plan).toMatchObject({ action: 'rollback', tag: 'rollback', blockers: [], hold });
    expect(warmEdit(live, named, 'r-2').traffic).toEqual([
      { revision: 'chat-2', percent: 100 },
      blue,
      { revision: 'chat-1', tag: 'rollback', percent: 0 },
    ]);
  });

  test('the move holds; a restore puts the former hold back; a lift touches nothing else', () => {
    const placed = { ...hold, release: 'r-2' };
    const moved = rollbackEdit(live, named, { release: 'r-2', hold: placed });
    expect(moved.traffic).toEqual([{ revision: 'chat-1', percent: 100 }, blue]);
    expect(moved.annotations).toMatchObject({
      'sluice.dev/hold': JSON.stringify(placed),
      'sluice.dev/former-traffic': null,
    });
    const restored = restoreEdit(live, named, { release: 'r-2', keepTag: false });
    expect(restored.traffic).toEqual([{ revision: 'chat-2', percent: 100 }, blue]);
    expect(restored.annotations).toMatchObject({
      'sluice.dev/hold': JSON.stringify(hold),
      'sluice.dev/pin': 'chat-2',
    });
    expect(unpinEdit('r-3')).toEqual({
      annotations: { 'sluice.dev/hold': null, 'sluice.dev/unpinned': 'r-3' },
    });
  });

  test("a tag `rollback` of somebody else's blocks, one of an interrupted rollback does not", () => {
    const tagged = [...traffic, { revision: 'chat-9', percent: 0, tag: 'rollback' }];
    const theirs = sampleLive(tagged, { annotations: live.annotations });
    const ours = sampleLive(tagged, { annotations: { ...live.annotations, 'sluice.dev/warmed': 'chat-9' } });
    const blockers = (found: typeof live) =>
      makeRollbackPlan({
        ...{
          target: sampleTarget(),
          live: found,
          revisions,
          past: [],
          now: false,
          command: 'sluice rollback staging',
        },
        ...{ takeOverTraffic: false, acceptSchemaRisk: false },
        choice: { kind: 'chosen', target, undoes: null, because: 'asked for' },
      }).plan.blockers;
    expect(blockers(theirs)).toMatchObject([
      { next: ['sluice rollback staging --to chat-1 --take-over-traffic'] },
    ]);
    expect(blockers(ours)).toEqual([]);
    expect(foreignTags(theirs).map(({ tag }) => tag)).toEqual(['blue', 'rollback']);
    expect(foreignTags(ours).map(({ tag }) => tag)).toEqual(['blue']);
  });
});

test('a taken-over `candidate` tag goes back to whom it belonged', () => {
  const live = sampleLive([...serving, { revision: 'chat-0', percent: 0, tag: 'candidate' }]);
  const plan = deployPlan(live, { env: { LOG_LEVEL: 'debug' } });
  const restored = restoreEdit(live, { ...plan, revision: 'chat-new' }, { release: 'r', keepTag: true });
  expect(restored.traffic).toEqual([...serving, { revision: 'chat-0', tag: 'candidate', percent: 0 }]);
});

describe('the schema note', () => {
  const schema = { version: '12', note: 'drops users.name', backwardsCompatible: false };

  test('is planned as a change and goes onto the revision; without one a former note goes', () => {
    const live = sampleLive(serving, {
      annotations: { 'sluice.dev/pin': 'chat-1', 'sluice.dev/verified': 'chat-1' },
    });
    const plan = deployPlan(live, { schema });
    expect(plan).toMatchObject({
      action: 'update',
      schema,
      changes: [{ field: 'schema', from: null, to: '12 (drops users.name)' }],
    });
    const annotations = (made: typeof plan) =>
      candidateEdit(sampleTarget(), { ...made, revision: 'chat-new' }, live, { release: 'r', image: 'i' })
        .template?.annotations;
    expect(annotations(plan)).toMatchObject({ 'sluice.dev/schema': JSON.stringify(schema) });
    expect(annotations(deployPlan(live, { env: {} }))).toMatchObject({ 'sluice.dev/schema': null });
  });
});

test('the difference of two revisions names every field and shows no secret', () => {
  const from = sampleTemplate({ env: { LOG_LEVEL: 'info', API_KEY: 'k1', OLD: '1' }, cpu: '1' });
  const to = sampleTemplate({ env: { LOG_LEVEL: 'debug', API_KEY: 'k2' }, cpu: '2', image: 'other' });
  expect(templateDifference(from, to, sampleTarget())).toEqual([
    { field: 'image', from: from.image, to: 'other' },
    { field: 'env.LOG_LEVEL', from: 'info', to: 'debug' },
    { field: 'env.API_KEY', from: '[redacted]', to: '[redacted]' },
    { field: 'env.OLD', from: '1', to: null },
    { field: 'container.cpu', from: '1', to: '2' },
  ]);
});
