import { expect, test } from 'vitest';
import type { CheckResult } from '../../src/checks/result.ts';
import { suiteLines } from '../../src/terminal/suite-lines.ts';
import { plainTheme } from '../../src/terminal/theme.ts';

const base: CheckResult = {
  ...{ id: 'golden-path', kind: 'suite', stage: 'candidate', required: true, durationMs: 9_000 },
  ...{ status: 'passed', reason: '' },
};
const counts = { passed: 12, failed: 0, skipped: 0 };
const lines = (more: Partial<CheckResult>) => suiteLines({ ...base, ...more }, plainTheme);

test('of a suite that failed: its phases, the failed tests and the end of its output', () => {
  expect(
    lines({
      status: 'failed',
      phases: [
        { name: 'P0', status: 'passed', reason: '', seconds: 1.2, ...counts },
        {
          name: 'P1 agent',
          status: 'failed',
          reason: '',
          seconds: 3,
          ...counts,
          passed: 1,
          failed: 2,
          skipped: 1,
        },
        { name: 'P2', status: 'skipped', reason: 'not run, for P1 agent failed', seconds: 0, ...counts },
      ],
      cases: [
        {
          name: 'ws › message',
          phase: 'P1',
          status: 'failed',
          seconds: 1.5,
          detail: 'received\n1011 \u001b[31m',
        },
        {
          name: 'ws › instant',
          phase: 'P1',
          status: 'passed',
          seconds: 0,
          detail: 'took 0.00 s: did it do anything?',
        },
        { name: 'ws › fine', phase: 'P1', status: 'passed', seconds: 1, detail: '' },
        { name: 'ws › later', phase: 'P1', status: 'skipped', seconds: 0, detail: 'not yet' },
      ],
      output: ['2 failed, 1 passed'],
    }),
  ).toEqual([
    '✔ P0         1.20 s  12 passed',
    '✖ P1 agent   3.00 s  1 passed, 2 failed, 1 skipped',
    '– P2                 not run, for P1 agent failed',
    '✖  1.50 s  ws › message  received 1011',
    '!  0.00 s  ws › instant  took 0.00 s: did it do anything?',
    '│ 2 failed, 1 passed',
  ]);
});

test('of a suite of one phase that passed, nothing but what looks unreal', () => {
  const phases = [{ name: 'tests', status: 'passed' as const, reason: '', seconds: 1, ...counts }];
  expect(
    lines({ phases, cases: [{ name: 'a', phase: 'tests', status: 'passed', seconds: 1, detail: '' }] }),
  ).toEqual([]);
});

test('many failed tests are counted, not listed', () => {
  const cases = Array.from({ length: 30 }, (_, n) => ({
    ...{ name: `t${n}`, phase: 'P0', status: 'failed' as const, seconds: 1, detail: '' },
  }));
  expect(lines({ status: 'failed', cases }).at(-1)).toBe('and 20 more');
});
