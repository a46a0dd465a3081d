import { expect, test } from 'vitest';
import type { PersonsAnswer } from '../../src/checks/context.ts';
import { runChecks } from '../../src/checks/run.ts';
import type { ManualCheck } from '../../src/config/check-spec.ts';
import { contextFor } from './given.ts';

const french: ManualCheck = {
  id: 'french',
  kind: 'manual',
  stages: ['candidate'],
  required: true,
  successes: 1,
  timeoutSeconds: 5,
  question: 'Does the chat answer in French?',
};
const answer = (more: Partial<PersonsAnswer> = {}): PersonsAnswer => ({
  item: 'french',
  outcome: 'passed',
  note: 'three questions',
  by: { git: 'ada@example.com', account: 'ada' },
  at: '2026-11-22T10:00:00.000Z',
  revision: 'chat-00002',
  digest: 'sha256:bb',
  ...more,
});

test.each<[string, PersonsAnswer[], string, string]>([
  ['nobody has answered', [], 'pending', 'nobody has answered for chat-00002'],
  [
    'a yes',
    [answer()],
    'passed',
    'yes, says ada@example.com (ada), 2026-11-22T10:00:00.000Z: "three questions"',
  ],
  ['a no', [answer({ outcome: 'failed', note: 'English' })], 'failed', 'no, says ada@example.com (ada)'],
  [
    'the newest counts, whatever its clock said',
    [answer({ outcome: 'failed', at: '2099-01-01T00:00:00Z' }), answer()],
    'passed',
    'yes,',
  ],
  [
    'one for another revision is void',
    [answer({ revision: 'chat-00001' })],
    'pending',
    '(void: passed for chat-00001, says ada',
  ],
  [
    'one for another digest is void',
    [answer({ digest: 'sha256:aa' })],
    'pending',
    '(void: passed for another digest, says',
  ],
  [
    'a void one after a valid one changes nothing',
    [answer(), answer({ revision: 'chat-00001', outcome: 'failed' })],
    'passed',
    'yes,',
  ],
  [
    'an answer to another item',
    [answer({ item: 'german' })],
    'pending',
    'nobody has answered for chat-00002',
  ],
  [
    'without a git identity the account says who',
    [answer({ by: { git: '', account: 'ci@x' } })],
    'passed',
    'says ci@x, 2026',
  ],
  ['hostile words', [answer({ note: '\x1b[2Jgone\n\u202e' })], 'passed', ': "gone"'],
])('%s', async (_, answers, status, reason) => {
  const [result] = await runChecks(
    [french],
    contextFor('http://x', { answers: async () => answers }),
    () => {},
  );
  expect(result?.status).toBe(status);
  expect(result?.reason).toContain(reason);
  expect(result?.next).toBe(status === 'pending' ? 'sluice sign staging french' : undefined);
});

test('an image without a digest can have no answer', async () => {
  const context = contextFor('http://x', { digest: '', answers: async () => [answer({ digest: '' })] });
  const [result] = await runChecks([french], context, () => {});
  expect(result?.status).toBe('pending');
});

test('answers that cannot be read are inconclusive', async () => {
  const answers = () => Promise.reject(new Error('the bucket is closed'));
  const [result] = await runChecks([french], contextFor('http://x', { answers }), () => {});
  expect(result).toMatchObject({
    status: 'inconclusive',
    reason: expect.stringContaining('the bucket is closed'),
  });
});
