import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RequestLog } from '../../src/checks/context.ts';
import { checkSuite } from '../../src/checks/suite.ts';
import type { SuiteCheck } from '../../src/config/check-spec.ts';
import { contextFor, programSetting } from './given.ts';
import { folderWith, node, suiteCheck } from './programs.ts';

const { signal } = new AbortController();
const aRequest: RequestLog = { count: async () => 3 };

/** A runner that writes a report where its first argument says, and ends with an exit code. */
const runner = (xml: string, exitCode = 0): string[] =>
  node(
    `require('fs').writeFileSync(process.argv[1], ${JSON.stringify(xml)}); process.exit(${exitCode})`,
    '{junit}',
  );

const report = (cases: string[], header = ''): string =>
  `<testsuites><testsuite name="s" ${header}>${cases.join('')}</testsuite></testsuites>`;

const good = (name: string, time = 0.4) => `<testcase classname="t" name="${name}" time="${time}"/>`;
const bad = (name: string) =>
  `<testcase classname="t" name="${name}" time="1.1"><failure message="1011"/></testcase>`;

type Surroundings = { folder?: string; requests?: RequestLog; stage?: 'predeploy' | 'candidate' };

function run(check: SuiteCheck, { folder, requests = aRequest, stage = 'candidate' }: Surroundings = {}) {
  const program = programSetting({ sourceDir: folder ?? folderWith(), requests });
  return checkSuite(check, contextFor('http://127.0.0.1:1', { program, stage }), signal);
}

const one = (command: string[], more: Partial<SuiteCheck> = {}) =>
  suiteCheck([{ name: 'tests', command }], more);

test('a suite that passed and reached the service: its tests, figures and requests', async () => {
  const tests = Array.from({ length: 20 }, (_, n) => good(`t${n}`, (n + 1) / 10));
  const outcome = await run(
    one(runner(report(tests, 'tests="20" failures="0"')), { latency: { p50: 1, p95: 2 } }),
  );
  expect(outcome).toMatchObject({
    status: 'passed',
    reason: '20 of 20 tests passed, p95 1.9 s of at most 2 s, 3 requests reached the service',
    figures: {
      total: 20,
      passed: 20,
      failed: 0,
      skipped: 0,
      instant: 0,
      p50Seconds: 1,
      p95Seconds: 1.9,
      requests: 3,
    },
    phases: [{ name: 'tests', status: 'passed', passed: 20 }],
  });
  expect(outcome.cases).toHaveLength(20);
});

describe('phases', () => {
  test('come in order, and one that fails stops those after it', async () => {
    const outcome = await run(
      suiteCheck([
        { name: 'P0', command: runner(report([good('connects')])) },
        { name: 'P1', command: runner(report([good('a'), bad('agent_completed')]), 1) },
        { name: 'P2', command: runner(report([good('never')])) },
        { name: 'P3', command: runner(report([good('never')])) },
      ]),
    );
    expect(outcome).toMatchObject({
      status: 'failed',
      reason: 'P1: 1 of 2 tests failed: t › agent_completed: 1011; not run: P2, P3',
      phases: [
        { name: 'P0', status: 'passed', passed: 1 },
        { name: 'P1', status: 'failed', passed: 1, failed: 1 },
        { name: 'P2', status: 'skipped', reason: 'not run, for P1 failed' },
        { name: 'P3', status: 'skipped' },
      ],
      figures: { total: 3, passed: 2, failed: 1 },
    });
    expect(outcome.cases?.[0]).toMatchObject({ name: 't › agent_completed', phase: 'P1', status: 'failed' });
  });

  test('share one deadline', async () => {
    const slow = { name: 'P0', command: node('setTimeout(() => {}, 60_000)') };
    const outcome = await run(suiteCheck([slow, { ...slow, name: 'P1' }], { timeoutSeconds: 0.6 }));
    expect(outcome).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/^P0: it did not end .*not run: P1$/),
    });
  });
});

const unreal: [what: string, check: SuiteCheck, status: string, reason: RegExp][] = [
  ['no test at all', one(runner(report([], 'tests="0"'))), 'failed', /no test was run/],
  [
    'only skipped tests',
    one(runner(report(['<testcase name="a"><skipped/></testcase>']))),
    'failed',
    /all 1 tests were skipped/,
  ],
  [
    'no report',
    one(node('console.log("12 passed")')),
    'inconclusive',
    /exited with 0, but it wrote no JUnit report/,
  ],
  [
    'no report and a failure',
    one(node('console.error("ImportError: conftest"); process.exit(4)')),
    'failed',
    /exited with 4, and it wrote no JUnit report.*it ended: "ImportError: conftest"/,
  ],
  [
    'a good exit code over failures',
    one(runner(report([good('a'), bad('b')]), 0)),
    'failed',
    /exited with 0 although 1 of 2 tests failed/,
  ],
  [
    'a bad exit code without a failure',
    one(runner(report([good('a')]), 2)),
    'failed',
    /exited with 2 although no test failed/,
  ],
  [
    'a header that lies',
    one(runner(report([good('a')], 'tests="120" failures="0"'))),
    'failed',
    /contradicts itself: the header of "s" tells 120 tests/,
  ],
  ['a report that is cut off', one(runner('<testsuites><testsuite>')), 'inconclusive', /cannot be read/],
  [
    'a huge report',
    one(
      node(
        `const { openSync, ftruncateSync } = require('fs'); ftruncateSync(openSync(process.argv[1], 'w'), 1e8)`,
        '{junit}',
      ),
    ),
    'inconclusive',
    /100000000 bytes: over 32 MiB/,
  ],
  [
    'a folder for a report',
    one(node(`require('fs').mkdirSync(process.argv[1])`, '{junit}')),
    'inconclusive',
    /is no file/,
  ],
  [
    'tests that are too slow',
    one(runner(report([good('a', 2.5)])), { latency: { p95: 2 } }),
    'failed',
    /expected p95 ≤ 2 s, found 2.5 s/,
  ],
  [
    'no times to hold against a target',
    one(runner(report(['<testcase name="a"/>'])), { latency: { p95: 2 } }),
    'inconclusive',
    /1 of 1 tests have no time/,
  ],
];

describe('a suite is not believed with', () => {
  test.each(unreal)('%s', async (_, check, status, reason) => {
    expect(await run(check)).toMatchObject({ status, reason: expect.stringMatching(reason) });
  });

  test('a report of an earlier run, which stays where it is', async () => {
    const folder = folderWith({ 'out/junit.xml': report([good('yesterday')]) });
    const stale = suiteCheck([{ name: 'tests', command: node(''), junit: 'out/junit.xml' }]);
    const outcome = await run(stale, { folder });
    expect(outcome).toMatchObject({
      status: 'inconclusive',
      reason: expect.stringContaining('of an earlier run'),
    });
    expect(existsSync(join(folder, 'out/junit.xml'))).toBe(true);
  });

  test('no request to the service', async () => {
    const outcome = await run(one(runner(report([good('a')]))), { requests: { count: async () => 0 } });
    expect(outcome).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('passed without touching the service'),
      figures: { total: 1, requests: 0 },
    });
  });

  test('a request log that cannot be read', async () => {
    const requests: RequestLog = { count: () => Promise.reject(new Error('permission denied')) };
    const outcome = await run(one(runner(report([good('a')]))), { requests });
    expect(outcome).toMatchObject({
      status: 'inconclusive',
      reason: expect.stringContaining('permission denied'),
    });
  });
});

test('a report in its own place counts when this run wrote it', async () => {
  const folder = folderWith({ 'junit.xml': report([bad('yesterday')]) });
  const writes = node(`require('fs').writeFileSync('junit.xml', ${JSON.stringify(report([good('today')]))})`);
  const outcome = await run(suiteCheck([{ name: 'tests', command: writes, junit: 'junit.xml' }]), { folder });
  expect(outcome).toMatchObject({ status: 'passed', cases: [{ name: 't › today' }] });
});

test('before the build no request is asked for', async () => {
  const outcome = await run(one(runner(report([good('a')]))), {
    stage: 'predeploy',
    requests: { count: () => Promise.reject(new Error('there is no revision')) },
  });
  expect(outcome).toMatchObject({ status: 'passed' });
});

test('a tolerance lets a share of the tests fail, and no more', async () => {
  const tests = [bad('x'), ...Array.from({ length: 9 }, (_, n) => good(`t${n}`))];
  const tolerant = await run(one(runner(report(tests), 1), { tolerance: 0.1 }));
  expect(tolerant).toMatchObject({
    status: 'passed',
    reason: expect.stringContaining('1 failed, which the tolerance allows'),
  });
  const strict = await run(one(runner(report(tests), 1), { tolerance: 0.09 }));
  expect(strict.status).toBe('failed');
});

test('tests of 0.00 s are flagged, failed ones come first, and their number is bounded', async () => {
  const tests = [
    ...Array.from({ length: 300 }, (_, n) => good(`t${n}`)),
    good('instant', 0.0008),
    bad('broken'),
  ];
  const outcome = await run(one(runner(report(tests), 1), { tolerance: 0.01 }));
  expect(outcome.cases).toHaveLength(200);
  expect(outcome.cases?.slice(0, 2)).toMatchObject([
    { name: 't › broken', status: 'failed', detail: '1011' },
    { name: 't › instant', status: 'passed', detail: 'took 0.00 s: did it do anything?' },
  ]);
  expect(outcome).toMatchObject({
    reason: expect.stringContaining('1 took 0.00 s'),
    figures: { total: 302, instant: 1 },
  });
});
