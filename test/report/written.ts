import type { CheckResult } from '../../src/checks/result.ts';
import type { ReleaseEvent } from '../../src/release/events.ts';
import { foldAll } from '../../src/release/state.ts';
import { type ReleaseReport, reportOf } from '../../src/report/release-report.ts';
import type { Finding } from '../../src/startup/profile.ts';
import { failure, finished, profile, stamp, started, success } from '../terminal/fixtures/events.ts';

/** Text that tries to leave every format it is put into. */
const hostile =
  '</script><script>alert(1)</script><img src=x onerror=alert(2)> `| @octocat closes #1 ]]> &amp; \u001b[31m\u202e\u0000 ::error::no';

export function fold(events: readonly ReleaseEvent[]): ReleaseReport {
  const state = foldAll('20250601T120000-staging-abcd', stamp(events));
  const former = {
    release: '20250531T120000-staging-wxyz',
    profile: { ...profile('chat'), totalSeconds: 2.5 },
  };
  return reportOf(state, new Map([['chat', former]]));
}

export const good = (): ReleaseReport => fold([started('chat'), ...success('chat'), finished('succeeded')]);
export const bad = (): ReleaseReport => fold([started('chat'), ...failure('chat'), finished('failed', 12)]);

/** A success with a suite whose second phase was not run. */
export function withSuite(): ReleaseReport {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const result: CheckResult = {
    ...{ id: 'e2e', kind: 'suite', stage: 'candidate', required: true, status: 'failed' },
    ...{ reason: 'api: 1 of 3 tests failed', durationMs: 4_200 },
    phases: [
      {
        ...counts,
        name: 'api',
        status: 'failed',
        reason: '1 of 3 tests failed',
        seconds: 4.2,
        passed: 2,
        failed: 1,
      },
      { ...counts, name: 'ui', status: 'skipped', reason: 'not run, for api failed', seconds: 0 },
    ],
  };
  return fold([started('chat'), ...success('chat'), { type: 'check.finished', service: 'chat', result }]);
}

/** A release in which every foreign text is hostile, and every kind of evidence is there. */
export function hostileRelease(): ReleaseReport {
  const step = { status: 'failed', ms: 12, detail: hostile } as const;
  const result: CheckResult = {
    id: 'chat-ws',
    kind: 'websocket',
    stage: 'post',
    required: true,
    status: 'failed',
    reason: hostile,
    durationMs: 40,
    messages: [
      {
        type: hostile,
        connection: step,
        auth: step,
        processing: step,
        response: { status: 'not-reached', ms: null, detail: '' },
        seen: [hostile],
        missing: [hostile],
        unexpected: [hostile],
      },
    ],
    components: [{ code: hostile, component: hostile, message: hostile, status: hostile, details: hostile }],
    phases: [
      { name: hostile, status: 'failed', reason: hostile, seconds: 2, passed: 1, failed: 1, skipped: 0 },
    ],
    cases: [{ name: hostile, phase: hostile, status: 'failed', seconds: 0, detail: hostile }],
  };
  const finding: Finding = {
    severity: 'error',
    category: 'exception',
    cause: hostile,
    hint: hostile,
    count: 2,
    firstSeen: '',
    lastSeen: '',
    entries: [],
  };
  return fold([
    {
      ...started('chat'),
      type: 'release.started',
      who: hostile,
      command: hostile,
      reason: hostile,
    } as ReleaseEvent,
    ...success('chat').slice(0, -1),
    {
      type: 'startup.finished',
      service: 'chat',
      profile: {
        ...profile('chat'),
        phases: [{ name: hostile, seconds: 1, share: 0.5, outcome: 'completed' }],
        systems: [{ name: hostile, status: 'healthy', detail: hostile }],
        findings: [finding],
      },
      decidedBy: hostile,
    },
    { type: 'check.finished', service: 'chat', result },
    {
      type: 'service.finished',
      service: 'chat',
      outcome: 'failed',
      reason: 'checklist',
      rolledBack: false,
      diagnosis: {
        cause: hostile,
        why: hostile,
        hint: hostile,
        evidence: [hostile, '```'],
        notDone: [hostile],
        next: [hostile],
      },
    },
    {
      type: 'release.finished',
      outcome: 'failed',
      exitCode: 13,
      rolledBack: false,
      verdict: {
        decision: 'blocked',
        conditions: [{ id: hostile, met: false, reason: hostile, remedy: hostile }],
      },
    },
  ]);
}
