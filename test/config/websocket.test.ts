import { expect, test } from 'vitest';
import { resolveTarget } from '../../src/config/resolve.ts';
import { parse, problemsOf, short, withService } from './parse.ts';

const checks = (text: string) => {
  const config = parse(withService(`checklist:\n${text.replaceAll(/^/gm, '  ')}`));
  return resolveTarget(config, { environment: 'staging' })[0]?.checklist;
};

test('a websocket check has its defaults, units and frames filled in', () => {
  const [bare, full] =
    checks(`
- { id: bare, kind: websocket, path: /ws }
- id: full
  kind: websocket
  path: /ws?v=1
  handshake: 500ms
  auth: { as: subprotocol, token: { secret: e2e-jwt } }
  errors: { event: fault }
  messages:
    - { type: ping, events: [pong] }
    - { type: text, send: hello, close: { code: 1000 } }
    - { type: json, send: { a: [1, { b: null }] }, events: [x], deadline: 2s, latency: { p95: 2s } }`) ?? [];
  expect(bare).toMatchObject({
    ...{ stages: ['candidate', 'post'], timeoutSeconds: 60, handshakeSeconds: 10, connectAttempts: 3 },
    ...{ eventField: 'type', health: '/health', messages: [], headers: {}, subprotocols: [] },
    errors: { event: 'error', at: 'error', code: 'code', components: 'component_details' },
  });
  expect(full).toMatchObject({
    handshakeSeconds: 0.5,
    auth: {
      ...{ as: 'subprotocol', prefix: 'jwt.', encoding: 'plain' },
      token: { secret: 'e2e-jwt', version: 'latest' },
    },
    errors: { event: 'fault', at: 'error' },
    messages: [
      { type: 'ping', send: '{"type":"ping"}', events: ['pong'], others: true, deadlineSeconds: 10 },
      { type: 'text', send: 'hello', events: [], close: { code: 1000 } },
      {
        ...{ send: '{"a":[1,{"b":null}]}', deadlineSeconds: 2 },
        latency: { percentile: 95, ms: 2000, samples: 20 },
      },
    ],
  });
});

const refused: [what: string, check: string, expected: string[]][] = [
  [
    'a typed-in token, which is not shown',
    'auth: { token: eyJhbGciOiJIUzI1NiJ9 }',
    ['checklist[0].auth.token: wrong type · found text · allowed a map of keys to values'],
  ],
  [
    'a token from two places, or from none',
    'auth: { token: { variable: A, secret: b } }',
    [
      'checklist[0].auth.token: a token comes from one place · allowed { variable: NAME } or { secret: NAME, version: latest }',
    ],
  ],
  [
    'messages that expect nothing, are there twice, or measure nothing',
    'messages: [{ type: a }, { type: a, close: { code: 1000 }, latency: { p50: 1s } }]',
    [
      'checklist[0].messages[0]: the message "a" expects nothing · allowed events or close',
      'checklist[0].messages[1].type: two messages are of the type "a"',
      'checklist[0].messages[1].latency: without events there is nothing to measure · allowed only with events',
    ],
  ],
  [
    'a latency with too few samples',
    'messages: [{ type: a, events: [b], latency: { p95: 2s, samples: 5 } }]',
    ['checklist[0].messages[0].latency.samples: too few samples to tell p95 · found 5 · allowed at least 20'],
  ],
  [
    'a health path that leaves the service',
    'health: //evil.example',
    [
      'checklist[0].health: no path of the service · found "//evil.example" · allowed a path that begins with one /',
    ],
  ],
  [
    'a close code that is none',
    'messages: [{ type: a, close: { code: 200 } }]',
    [
      'checklist[0].messages[0].close.code: wrong value · found 200 · allowed a whole number from 1000 to 4999',
    ],
  ],
];

test.each(refused)('%s is refused', (_, line, expected) => {
  const problems = problemsOf(() => checks(`- id: a\n  kind: websocket\n  path: /ws\n  ${line}`));
  const told = problems.map((problem) => short(problem).replace(/^\S+ services\.chat\./, ''));
  expect(told).toEqual(expected);
});

test('a header that opens the service to tests may not stand in a check where e2e is not allowed', () => {
  const text =
    `${withService('checklist: [{ id: a, kind: websocket, path: /ws, headers: { x-e2e-test: "1" } }]')}
`.replace('e2e: true }', 'e2e: true, services: { chat: { e2e: { headers: { X-E2E-Test: "1" } } } } }');
  expect(problemsOf(() => parse(text)).map(({ message }) => message)).toEqual([
    'x-e2e-test bypasses authentication, and the environment production does not allow e2e',
  ]);
});
