import { expect, test } from 'vitest';
import { foldAll } from '../../src/release/state.ts';
import { revisionOf } from '../../src/report/facts.ts';
import { failure, stamp, started, success } from '../terminal/fixtures/events.ts';

const revisionAfter = (events: ReturnType<typeof success>) => {
  const service = foldAll('r', stamp([started('chat'), ...events])).services.get('chat');
  return service && { planned: service.revision, told: revisionOf(service) };
};

test('a revision that was planned and never made is not told as the one of the release', () => {
  const planned = success('chat').filter(({ type }) => type === 'service.observed' || type === 'plan.made');
  const { planned: name, told } = revisionAfter(planned) ?? {};
  expect(name).toBe('chat-r1');
  expect(told).not.toBe(name);
  expect(revisionAfter(success('chat'))?.told).toBe('chat-r1');
  expect(revisionAfter(failure('chat'))?.told).toBe('chat-r1');
});
