import { expect, test } from 'vitest';
import type { ReleaseEvent } from '../../src/release/events.ts';
import { createPlainView } from '../../src/terminal/plain.ts';
import { plainTheme } from '../../src/terminal/theme.ts';
import { failure, interleave, stamp, started, success, unchanged } from './fixtures/events.ts';

function lines(events: ReleaseEvent[], from = 0): string[] {
  const view = createPlainView(plainTheme);
  return stamp(events).flatMap((stamped) => view.lines(stamped).map((line) => line.slice(from)));
}

const withoutTime = 10;

test('a success, line by line', () => {
  expect(lines([started('chat'), ...success('chat')], withoutTime)).toEqual([
    'deploy staging on the local cloud: chat',
    '· plan: update, the source changed',
    '    image: sha256:1111 → known after build',
    '    env.LOG_LEVEL: info → debug',
    '✔ observe     0.08 s   chat-r0 serves 100 %',
    '✔ preflight   0.21 s   6 checks',
    '· build …',
    '    log: http://127.0.0.1:4100/builds/b1',
    '✔ build       6.20 s   sha256:9f2c4d81e0a3',
    '✔ candidate   0.83 s   chat-r1 at 0 %, tagged candidate',
    '· startup …',
    '    ✔ SECURITY  0.11 s',
    '    ✔ DEPENDENCIES  1.41 s',
    '    ✔ DATABASE  0.44 s',
    '    ✔ database healthy  pool of 5',
    '    ! redis degraded  falls back to memory',
    '✔ startup     3.40 s   started in 1.96 s',
    '· checks …',
    '    ✔ health  12 ms  GET /health answered 200',
    '    ✔ latency  12 ms  p95 8 ms over 20 samples',
    '✔ checks      0.60 s   2 of 2 passed',
    '· traffic …',
    '    traffic: 100 % chat-r1',
    '    chat-r1 gave 5 answers in a row',
    '✔ traffic     1.20 s   100 % chat-r1',
    '    ✔ home  12 ms  GET / answered 200',
    '✔ checklist   0.10 s   1 of 1 passed',
    'deployed',
  ]);
});

test('a failure names its root cause and what was put back', () => {
  const told = lines([started('chat'), ...failure('chat')], withoutTime);
  expect(told.slice(told.indexOf('· startup …'))).toEqual([
    '· startup …',
    '    ✔ SECURITY  0.11 s',
    '    ✖ DEPENDENCIES  failed',
    "    ✖ No module named 'app.tools.search'",
    "✖ startup     1.30 s   No module named 'app.tools.search'",
    '· restore …',
    '    traffic: 100 % chat-r0',
    '    chat-r0 gave 5 answers in a row',
    '✔ restore     0.70 s   chat-r0 serves 100 % again',
    'failed',
  ]);
});

test('nothing to do is told in three lines', () => {
  expect(lines([started('chat'), ...unchanged('chat')])).toEqual([
    '12:00:00  deploy staging on the local cloud: chat',
    '12:00:02  · plan: none, the serving revision has this source and config',
    '12:00:03  ✔ observe     0.08 s   nothing has changed',
    '12:00:05  unchanged',
  ]);
});

test('with several services every line but the first names one', () => {
  const [, ...told] = lines(
    [started('api', 'web'), ...interleave(success('api'), unchanged('web'))],
    withoutTime,
  );
  expect(told.length).toBeGreaterThan(20);
  for (const line of told) expect(line).toMatch(/^(api|web) {2}/);
});

test('a failed build shows the end of its log, made safe', () => {
  const failed: ReleaseEvent = {
    type: 'build.finished',
    service: 'chat',
    outcome: 'failed',
    image: '',
    digest: '',
    seconds: 2,
    detail: 'step 1',
    tail: ['npm ERR! missing script', '\u001b[2J::set-env name=PATH::/evil'],
  };
  const told = lines([started('chat'), failed], withoutTime).slice(1);
  expect(told[0]).toBe('    npm ERR! missing script');
  expect(told[1]).not.toContain('\u001b');
  expect(told[1]).not.toContain('::set-env');
});
