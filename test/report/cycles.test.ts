import { expect, test } from 'vitest';
import { cycleLines, differences } from '../../src/report/cycles.ts';
import { plainTheme } from '../../src/terminal/theme.ts';
import { finished, started, success } from '../terminal/fixtures/events.ts';
import { bad, fold, good } from './written.ts';

test('a mended start is better in every respect', () => {
  const found = differences(bad().state, good().state);
  expect(cycleLines(2, found, plainTheme)).toEqual([
    'cycle 2',
    '  ✔ better   it came as far as checklist, before: candidate',
    '  ✔ better   startup crash-loop → started',
  ]);
});

test('a broken one is worse, and its cause is named', () => {
  expect(differences(good().state, bad().state)).toEqual([
    { way: 'worse', what: 'it came as far as candidate, before: checklist' },
    { way: 'worse', what: 'startup started → crash-loop' },
    { way: 'changed', what: "cause: No module named 'app.tools.search'" },
  ]);
});

test('checks are told by their status; the same again is nothing', () => {
  const broken = success('chat').map((event) =>
    event.type === 'check.finished' && event.result.id === 'home'
      ? { ...event, result: { ...event.result, status: 'failed' as const } }
      : event,
  );
  const failed = fold([started('chat'), ...broken, finished('failed', 13)]).state;
  expect(differences(failed, good().state)).toEqual([{ way: 'better', what: 'home (post) failed → passed' }]);
  expect(cycleLines(3, differences(failed, failed), plainTheme)).toEqual([
    'cycle 3  nothing got better or worse than in cycle 2',
  ]);
});
