import { expect, test } from 'vitest';
import type { ReleaseSummary, ServiceSummary } from '../../src/ledger/summary.ts';
import { historyOf } from '../../src/release/history.ts';
import { historyLines } from '../../src/report/history.ts';
import { plainTheme } from '../../src/terminal/theme.ts';

const service = (patch: Partial<ServiceSummary>): ServiceSummary => ({
  ...{ service: 'chat', revision: 'chat-r1', digest: `sha256:${'ab'.repeat(32)}`, outcome: 'deployed' },
  ...{ changes: ['image'], cause: '', traffic: [{ revision: 'chat-r1', percent: 100 }] },
  ...patch,
});

const release = (
  id: string,
  patch: Partial<ReleaseSummary>,
  ...services: Partial<ServiceSummary>[]
): ReleaseSummary => ({
  ...{
    id,
    environment: 'staging',
    runbook: 'deploy',
    cloud: 'google',
    who: 'ada',
    commit: null,
    dirty: false,
  },
  ...{ reason: '', from: null, started: '2026-11-22T04:47:36.000Z', finished: '2026-11-22T04:48:00.000Z' },
  ...{ outcome: 'succeeded', exitCode: 0, rolledBack: false, verdict: 'ready', overrides: [] },
  ...{ intact: true, chained: true },
  ...patch,
  services: services.map(service),
});

const serving = [{ revision: 'chat-r3', percent: 100 }];

/** Field report 2's revision table, with a release that is still open. */
const releases = [
  release(
    'rel-5',
    { outcome: 'unfinished', verdict: null, exitCode: null },
    {
      ...{ revision: 'chat-r5', outcome: 'unfinished', digest: null, traffic: [] },
    },
  ),
  release(
    'rel-4',
    { intact: false, outcome: 'failed', exitCode: 12, rolledBack: true, verdict: 'blocked' },
    {
      ...{ revision: 'chat-r4', outcome: 'failed', traffic: serving },
      cause: "cannot import name 'X'\u001b[31m",
    },
  ),
  release(
    'rel-3',
    { runbook: 'promote', from: { environment: 'staging', releases: ['rel-2'] } },
    {
      ...{ revision: 'chat-r3', traffic: serving },
    },
  ),
  release(
    'rel-2',
    {
      ...{ commit: '0123456789abcdef', dirty: true, chained: false, intact: false },
      overrides: [{ condition: 'freeze', why: 'hotfix', who: 'eve' }],
    },
    { revision: 'chat-r2', changes: ['image', 'env.A', 'env.B', 'env.C', 'env.D'] },
  ),
  release('rel-1', {}, { changes: ['new service'] }),
];

test('the revision table tells newest first what changed, how it ended and why', () => {
  const about = {
    environment: 'staging',
    cloud: 'google',
    resume: (id: string) => `sluice resume ${id}`,
  } as const;
  expect(historyLines(historyOf(releases), about, plainTheme)).toEqual([
    '     when (UTC)        revision  digest               changes',
    '  ?  2026-11-22 04:47  chat-r5   –                    image',
    '    deploy rel-5 by ada',
    '    not finished → sluice resume rel-5',
    '  ✖  2026-11-22 04:47  chat-r4   sha256:abababababab  image',
    '    deploy rel-4 by ada',
    "    failed, rolled back (exit code 12): cannot import name 'X'",
    '    ✖ the record has been damaged',
    '● ✔  2026-11-22 04:47  chat-r3   sha256:abababababab  image  from staging',
    '    promote rel-3 by ada',
    '  ✔  2026-11-22 04:47  chat-r2   sha256:abababababab  image, env.A, env.B, env.C, 1 more',
    '    deploy rel-2 by ada, commit 0123456 with changes',
    '    ! freeze was set aside by eve: hotfix',
    '    the record has no digest chain: a change by hand would not show',
    '  ✔  2026-11-22 04:47  chat-r1   sha256:abababababab  new service',
    '    deploy rel-1 by ada',
    '● serves, as the newest record saw it; `sluice status` asks the cloud',
  ]);
  expect(historyLines([], about, plainTheme)).toEqual([
    'no release of staging is recorded; --local shows those on the local cloud',
  ]);
});

test('each service has its own rows, and what serves is told once', () => {
  const two = [
    release('rel-2', { runbook: 'rollback', reason: 'it was slow' }, { revision: 'chat-r1' }),
    release('rel-1', {}, {}, { service: 'mail', revision: 'mail-r1', traffic: [] }),
  ];
  const rows = historyOf(two);
  expect(rows.map((row) => [row.release, row.service, row.serving])).toEqual([
    ['rel-2', 'chat', true],
    ['rel-1', 'chat', false],
    ['rel-1', 'mail', false],
  ]);
  expect(historyOf(two, 'mail').map((row) => row.release)).toEqual(['rel-1']);
});
