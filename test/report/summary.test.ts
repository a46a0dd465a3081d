import { describe, expect, test } from 'vitest';
import type { ReleaseEvent } from '../../src/release/events.ts';
import { foldAll } from '../../src/release/state.ts';
import { releaseDocument, releaseDocumentSchema } from '../../src/report/json.ts';
import { summaryLines } from '../../src/report/summary.ts';
import { plainTheme } from '../../src/terminal/theme.ts';
import { failure, finished, stamp, started, success, unchanged } from '../terminal/fixtures/events.ts';

const stateOf = (...events: ReleaseEvent[]) => foldAll('rel-1', stamp(events));
const summary = (...events: ReleaseEvent[]) => summaryLines(stateOf(...events), plainTheme);
const document = (...events: ReleaseEvent[]) =>
  releaseDocumentSchema.parse(releaseDocument(stateOf(...events)));

const succeeded = [started('chat'), ...success('chat'), finished('succeeded')];
const failed = [started('chat'), ...failure('chat'), finished('failed', 12)];
const same = [started('chat'), ...unchanged('chat'), finished('unchanged')];

describe('the summary', () => {
  test('of a success', () => {
    expect(summary(...succeeded)).toEqual([
      '',
      '✔ chat is deployed to staging',
      '  url        http://127.0.0.1:4201',
      '  revision   chat-r1  sha256:9f2c4d81e0a3',
      '  traffic    100 % chat-r1  proven by 5 answers in a row',
      '  changes    ~ image          sha256:1111 → known after build',
      '             ~ env.LOG_LEVEL  info → debug',
      '  startup    started in 1.960 s',
      '             ✔ SECURITY      █▉                          0.110 s   6 %',
      '             ✔ DEPENDENCIES  ████████████████████████    1.410 s  72 %',
      '             ✔ DATABASE      ███████▌                    0.440 s  23 %',
      '             ✔ database  healthy   pool of 5',
      '             ! redis     degraded  falls back to memory',
      '  checks     ✔ health   candidate  12 ms  GET /health answered 200',
      '             ✔ latency  candidate  12 ms  p95 8 ms over 20 samples',
      '             ✔ home     post       12 ms  GET / answered 200',
      '',
      'verdict ready: 2 of 2 conditions met  release rel-1',
    ]);
  });

  test('of a failure: what serves, the evidence, the cause and what to do stand last', () => {
    expect(summary(...failed)).toEqual([
      '',
      '✖ chat was not deployed to staging',
      '  startup    crash-loop',
      '             ✔ SECURITY      ████████████████████████    0.110 s',
      '             ✖ DEPENDENCIES                                    –',
      '  done       observe, preflight, build, candidate, restore',
      '  not done   checks, traffic, checklist',
      '  candidate  http://127.0.0.1:4202  kept for a look',
      '  traffic    100 % chat-r0  restored, proven by 5 answers in a row',
      '  evidence   │ File "/app/agent.py", line 3, in <module>',
      "             │ ModuleNotFoundError: No module named 'app.tools.search'",
      '             │ Container called exit(3).',
      "  cause      No module named 'app.tools.search'",
      '             the container exits with code 3 at every start, behind a passing TCP probe',
      '             the module is imported in app/agent.py but is not in the image',
      '→ sluice logs staging --revision chat-r1',
      '→ sluice deploy staging',
      '',
      'verdict blocked: 0 of 2 conditions met  release rel-1  exit code 12',
    ]);
  });

  test('of a restore that nobody answered for says so', () => {
    const unproven = failed.filter((event) => event.type !== 'answer.proven');
    expect(summary(...unproven)).toContain('  traffic    100 % chat-r0: restored, but not proven');
  });

  test('of nothing to do', () => {
    expect(summary(...same).slice(1, 6)).toEqual([
      '✔ chat is unchanged in staging: nothing was built or written',
      '  url        http://127.0.0.1:4201',
      '  revision   chat-r0',
      '  traffic    100 % chat-r0',
      '  because    the serving revision has this source and config',
    ]);
  });

  test('with several services a failure is on the last screen', () => {
    const lines = summary(
      started('api', 'chat'),
      ...failure('api'),
      ...success('chat'),
      finished('failed', 12),
    );
    const failure_ = lines.indexOf('✖ api was not deployed to staging');
    expect(failure_).toBeGreaterThan(lines.indexOf('✔ chat is deployed to staging'));
  });

  test('of a release whose end was never seen', () => {
    const lines = summary(...succeeded.slice(0, 10));
    expect(lines.at(-1)).toBe('? the release did not finish: its outcome is unknown');
  });
});

describe('the --json document', () => {
  test('of a success', () => {
    const { release, services } = document(...succeeded);
    expect(release).toMatchObject({ id: 'rel-1', outcome: 'succeeded', exitCode: 0, rolledBack: false });
    expect(services).toMatchObject([
      {
        name: 'chat',
        revision: 'chat-r1',
        url: 'http://127.0.0.1:4201',
        candidateUrl: 'http://127.0.0.1:4202',
        traffic: [{ revision: 'chat-r1', percent: 100 }],
        startup: { outcome: 'started', totalSeconds: 1.96 },
        diagnosis: null,
      },
    ]);
    expect(services[0]?.checks.map(({ id }) => id)).toEqual(['health', 'latency', 'home']);
    expect(services[0]?.digest).toMatch(/^sha256:9f2c4d81e0a3/);
  });

  test('of a failure carries the diagnosis and the traffic that serves', () => {
    const { release, services } = document(...failed);
    expect(release).toMatchObject({ outcome: 'failed', exitCode: 12, rolledBack: true });
    expect(services[0]).toMatchObject({
      traffic: [{ revision: 'chat-r0', percent: 100 }],
      diagnosis: { cause: "No module named 'app.tools.search'", notDone: ['checks', 'traffic', 'checklist'] },
    });
  });

  test('of nothing to do, and of a release without an end', () => {
    expect(document(...same)).toMatchObject({
      release: { outcome: 'unchanged' },
      services: [{ revision: 'chat-r0' }],
    });
    expect(document(started('chat'))).toMatchObject({ release: { outcome: 'unknown', exitCode: 18 } });
  });
});
