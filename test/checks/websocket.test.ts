import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/secret.ts';
import { check, five, matrix, message, refusing, say, serveWebsocket } from './websocket-server.ts';

describe('what must come back', () => {
  test('all events in order pass, others between them or not', async () => {
    const url = await serveWebsocket({
      greet: say('system_message'),
      answer: say('agent_started', 'ping', ...five.slice(1)),
    });
    const result = await check(url);
    expect(result).toMatchObject({ id: 'chat-ws', kind: 'websocket', status: 'passed' });
    expect(result.reason).toMatch(/^\/ws: user_message brought its 5 events in [\d.]+ ms$/);
    expect(matrix(result)).toEqual(['user_message ✔✔✔✔']);
    expect(result.messages?.[0]).toMatchObject({
      seen: five,
      missing: [],
      unexpected: ['system_message', 'ping'],
      auth: { detail: 'no credentials were sent, so the handshake tells nothing of auth' },
    });
    expect(result.messages?.[0]?.connection.ms).toBeGreaterThan(0);
  });

  test.each([
    [
      'missing in the middle',
      ['agent_started', 'agent_completed'],
      'response failed: missing agent_thinking, tool_executing, tool_completed',
    ],
    [
      'out of order',
      ['agent_thinking', 'agent_started', ...five.slice(2)],
      'response failed: out of order: agent_started came after agent_thinking',
    ],
  ])('events %s', async (_, events, reason) => {
    const result = await check(await serveWebsocket({ answer: say(...events) }));
    expect(result).toMatchObject({ status: 'failed' });
    expect(result.reason).toBe(`/ws: connection and auth passed, ${reason}`);
    expect(matrix(result)).toEqual(['user_message ✔✔✔✖']);
  });

  test('nothing at all is no answer at the deadline', async () => {
    const result = await check(await serveWebsocket({}), { messages: [message({ deadlineSeconds: 0.2 })] });
    expect(result.reason).toBe(
      `/ws: connection and auth passed, processing failed: nothing expected came within 0.2 s; missing agent_started … agent_completed (5)`,
    );
    expect(result.messages?.[0]).toMatchObject({
      missing: five,
      response: { status: 'not-reached', detail: 'no response' },
    });
  });

  test('an answer that stops half way is named with what is missing', async () => {
    const result = await check(await serveWebsocket({ answer: say('agent_started', 'agent_thinking') }), {
      messages: [message({ deadlineSeconds: 0.2 })],
    });
    expect(result.reason).toContain(
      'response failed: missing tool_executing, tool_completed, agent_completed; not complete within 0.2 s',
    );
    expect(result.messages?.[0]?.response.detail).toBe('2 of 5 events');
  });

  test('other events fail where none may come', async () => {
    const url = await serveWebsocket({ answer: say('ping', 'a', 'surprise') });
    const result = await check(url, { messages: [message({ events: ['a'], others: false })] });
    expect(result.reason).toContain('response failed: unexpected ping, surprise');
  });

  test('frames that are no events have names of their own', async () => {
    const url = await serveWebsocket({
      answer: (socket, ...rest) => {
        for (const frame of ['garbage {', '{"kind":"x"}', '[1]', Buffer.from([0, 255])]) socket.send(frame);
        say(...five)(socket, ...rest);
      },
    });
    const result = await check(url);
    expect(result).toMatchObject({ status: 'passed' });
    expect(result.messages?.[0]?.unexpected).toEqual(['(no JSON)', '(no type)', '(binary)']);
  });

  test('another field can name the event, and text can be sent', async () => {
    const url = await serveWebsocket({
      answer: (socket, text) => socket.send(JSON.stringify({ event: { name: `re: ${text}` } })),
    });
    const messages = [message({ type: 'hello', send: 'hello', events: ['re: hello'] })];
    expect(await check(url, { eventField: 'event.name', messages })).toMatchObject({ status: 'passed' });
  });

  test.each([
    ['as expected', { code: 4000, reason: 'done' }, 'passed', 'was answered with the close that is expected'],
    ['with another code', { code: 1000 }, 'failed', 'response failed: closed 4000: all done, expected 1000'],
    ['with another reason', { reason: 'bye' }, 'failed', 'closed 4000: all done, expected bye'],
  ])('a close %s', async (_, close, status, reason) => {
    const url = await serveWebsocket({ answer: (socket) => socket.close(4000, 'all done') });
    const result = await check(url, { messages: [message({ events: [], close })] });
    expect(result.status).toBe(status);
    expect(result.reason).toContain(reason);
  });

  test('latency is measured over samples on connections of their own', async () => {
    let connections = 0;
    const url = await serveWebsocket({ greet: () => (connections += 1), answer: say(...five) });
    const latency = { percentile: 95, ms: 60_000, samples: 20 };
    const result = await check(url, { messages: [message({ latency })] });
    expect(result.reason).toMatch(/p95 is [\d.]+ ms over 20 samples, at most 60000 ms allowed$/);
    expect(result.figures).toMatchObject({
      samples: 20,
      p95Ms: expect.any(Number),
      p50Ms: expect.any(Number),
    });
    expect(connections).toBe(20);
    const slow = await check(url, {
      messages: [message({ latency: { percentile: 50, ms: 0, samples: 5 } })],
    });
    expect(slow.reason).toMatch(/response too slow: p50 is [\d.]+ ms over 5 samples, at most 0 ms allowed/);
    expect(matrix(slow)).toEqual(['user_message ✔✔✔✖']);
  });

  test('one failure does not hide the others', async () => {
    const url = await serveWebsocket({
      answer: (socket, text, request) =>
        text.includes('bad') ? socket.close(1011, 'boom') : say(...five)(socket, text, request),
    });
    const result = await check(url, { messages: ['good', 'bad', 'fine'].map((type) => message({ type })) });
    expect(matrix(result)).toEqual(['good ✔✔✔✔', 'bad ✔✔✖–', 'fine ✔✔✔✔']);
    expect(result.reason).toMatch(
      /^\/ws: bad: connection and auth passed, processing failed: closed 1011: boom; missing/,
    );
  });
});

describe('handshakes', () => {
  test.each([
    ['403 Forbidden', '✔✖––', 'the handshake is refused: 403 Forbidden ("sign in first")'],
    ['401 Unauthorized', '✔✖––', 'the handshake is refused: 401 Unauthorized ("sign in first")'],
    [
      '503 Service Unavailable',
      '✖–––',
      'the handshake is refused: 503 Service Unavailable ("sign in first")',
    ],
    ['200 OK', '✖–––', 'the handshake is refused: 200 OK'],
  ])('refused with %s', async (status, signs, reason) => {
    const url = await serveWebsocket({ upgrade: refusing(status, 'sign\x1b[31m in\nfirst') });
    const result = await check(url);
    expect(matrix(result)).toEqual([`user_message ${signs}`]);
    expect(result.reason).toContain(reason);
    expect(result.messages?.[0]?.missing).toEqual([]);
  });

  test('are tried again with backoff, and a message is sent once', async () => {
    let tries = 0;
    const seen: string[] = [];
    const url = await serveWebsocket({
      greet: (socket) => {
        tries += 1;
        if (tries < 3) socket.close(1012, 'restarting');
      },
      answer: (socket, text, request) => {
        if (tries < 3) return;
        seen.push(text);
        say(...five)(socket, text, request);
      },
    });
    expect(await check(url, { connectAttempts: 3 })).toMatchObject({ status: 'passed' });
    expect([tries, seen.length]).toEqual([3, 1]);
  });

  test('refused at every attempt says how often', async () => {
    const url = await serveWebsocket({ upgrade: refusing('503 Service Unavailable') });
    expect((await check(url, { connectAttempts: 2 })).reason).toBe(
      '/ws: the handshake is refused: 503 Service Unavailable (2 attempts), while /health answers 200',
    );
  });

  test('nobody listening, in plain words', async () => {
    const { port } = new URL(await serveWebsocket({}));
    const result = await check(`http://127.0.0.2:${port}`);
    expect(result.reason).toContain('no connection: no answer from 127.0.0.2');
    expect(matrix(result)).toEqual(['user_message ✖–––']);
  });

  test.each([
    ['says nothing', () => {}],
    [
      'drips',
      (socket: import('node:stream').Duplex) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\n');
        const drip = setInterval(() => socket.write('x-drip: 1\r\n'), 20);
        socket.on('close', () => clearInterval(drip));
      },
    ],
  ])('a server that %s ends at the limit', async (_, act) => {
    const url = await serveWebsocket({ upgrade: (_request, socket) => act(socket) });
    const result = await check(url, { handshakeSeconds: 0.2 });
    expect(result.reason).toContain('no connection: no answer to the handshake within 0.2 s');
  });

  test('a refusal whose body never ends still tells its status', async () => {
    const url = await serveWebsocket({
      upgrade: (_, socket) => socket.write('HTTP/1.1 403 Forbidden\r\ncontent-length: 100000\r\n\r\nno'),
    });
    expect((await check(url, { handshakeSeconds: 0.2 })).reason).toContain(
      'the handshake is refused: 403 Forbidden',
    );
  });

  test('with no messages the handshake alone is tried', async () => {
    const result = await check(await serveWebsocket({}), { messages: [] });
    expect(result).toMatchObject({ status: 'passed', reason: '/ws: the handshake is accepted' });
    expect(matrix(result)).toEqual(['(handshake) ✔✔––']);
  });

  test('a path that leads away is not followed', async () => {
    expect((await check('http://127.0.0.1:1', { path: '//192.0.2.1/ws' })).reason).toContain('leads away');
  });
});

describe('signing in', () => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzdGFnaW5nLWUyZS11c2VyLTAwMSJ9.c2lnbmF0dXJl';
  const token = async () => new Secret(jwt);
  const auth = { as: 'bearer', token: { variable: 'TOKEN' }, prefix: 'jwt.', encoding: 'plain' } as const;

  test('as a bearer, beside the e2e headers and an ID token', async () => {
    let headers: Record<string, unknown> = {};
    const url = await serveWebsocket({
      answer: (socket, text, request) => {
        headers = request.headers;
        say(...five)(socket, text, request);
      },
    });
    const result = await check(
      url,
      { auth, headers: { 'X-Own': 'own' } },
      { token, headers: { 'X-E2E-Test': 'true' }, idToken: async () => new Secret('id-token-of-a-caller') },
    );
    expect(result).toMatchObject({
      status: 'passed',
      messages: [
        { auth: { detail: 'the handshake was accepted with X-E2E-Test, a bearer token, an ID token' } },
      ],
    });
    expect(headers).toMatchObject({
      authorization: `Bearer ${jwt}`,
      'x-serverless-authorization': 'Bearer id-token-of-a-caller',
      'x-e2e-test': 'true',
      'x-own': 'own',
    });
  });

  test.each([
    ['plain', `jwt.${jwt}`],
    ['base64url', `jwt.${Buffer.from(jwt).toString('base64url')}`],
  ] as const)('in a subprotocol, %s', async (encoding, offered) => {
    let asked = '';
    const url = await serveWebsocket({
      answer: (socket, text, request) => {
        asked = String(request.headers['sec-websocket-protocol']);
        say(...five)(socket, text, request);
      },
    });
    const spec = { subprotocols: ['chat.v1'], auth: { ...auth, as: 'subprotocol', encoding } } as const;
    expect(await check(url, { ...spec, subprotocols: [...spec.subprotocols] }, { token })).toMatchObject({
      status: 'passed',
    });
    expect(asked).toBe(`chat.v1,${offered}`);
  });

  test('closed for it after the handshake is a failure of auth', async () => {
    const url = await serveWebsocket({ greet: (socket) => socket.close(1008, `no user for ${jwt}`) });
    const result = await check(url, { auth }, { token });
    expect(matrix(result)).toEqual(['user_message ✔✖––']);
    expect(result.reason).toBe('/ws: connection passed, auth failed: closed 1008: no user for [redacted]');
  });

  test('a token that is said back, whole or cut, is in no result', async () => {
    const padded = 'x'.repeat(180);
    for (const service of [
      { upgrade: refusing('403 Forbidden', `${padded} Bearer ${jwt}`) },
      { answer: say(`${padded.slice(0, 60)}${jwt}`) },
      {
        answer: (socket: import('ws').WebSocket) =>
          socket.send(
            JSON.stringify({
              type: 'error',
              error: { code: jwt, component: jwt, message: `${padded}${jwt}`, details: { jwt } },
            }),
          ),
      },
    ]) {
      const result = await check(
        await serveWebsocket(service),
        { auth, messages: [message({ deadlineSeconds: 0.2 })] },
        { token },
      );
      expect(result.status).toBe('failed');
      expect(JSON.stringify(result)).not.toContain(jwt.slice(0, 12));
    }
  });

  test('a token that cannot be read decides nothing', async () => {
    const result = await check(
      await serveWebsocket({}),
      { auth },
      {
        token: async () => {
          throw new Error('the environment variable TOKEN is not set: export it and run again');
        },
      },
    );
    expect(result).toMatchObject({
      status: 'inconclusive',
      reason:
        'the token to sign in with is missing: the environment variable TOKEN is not set: export it and run again',
    });
  });
});

describe('hostile services', () => {
  test.each([
    [
      'floods',
      'it floods',
      (socket: import('ws').WebSocket) => {
        for (let at = 0; at < 5_000; at++) socket.send('{"type":"spam"}');
      },
    ],
    [
      'floods with pings',
      // Where the machine is busy its end may be seen before a thousand pings are counted.
      /it floods|the connection broke off/,
      (socket: import('ws').WebSocket) => {
        for (let at = 0; at < 5_000; at++) socket.ping();
      },
    ],
    [
      'sends 100 MB',
      'it sent a message over 1 MiB',
      (socket: import('ws').WebSocket) => socket.send(Buffer.alloc(100 * 1024 * 1024)),
    ],
    [
      'sends no frames',
      'it sent what is no WebSocket frame',
      (socket: import('ws').WebSocket) => {
        const { _socket: raw } = socket as unknown as { _socket: import('node:net').Socket }; // to write past the library
        raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
      },
    ],
    ['closes without a code', 'closed without a code', (socket: import('ws').WebSocket) => socket.close()],
    [
      'breaks off',
      'the connection broke off without a close',
      (socket: import('ws').WebSocket) => socket.terminate(),
    ],
  ])('one that %s', async (_, why, act) => {
    const result = await check(await serveWebsocket({ answer: act }));
    expect(result.status).toBe('failed');
    expect(result.reason).toMatch(
      new RegExp(`processing failed: (${why instanceof RegExp ? why.source : why})`),
    );
    expect(matrix(result)).toEqual(['user_message ✔✔✖–']);
  });

  test('an error that is nested without end', async () => {
    const deep = `${'{"component_details":{"a":'.repeat(20_000)}1${'}}'.repeat(20_000)}`;
    const url = await serveWebsocket({ answer: (socket) => socket.send(`{"type":"error","error":${deep}}`) });
    const result = await check(url);
    expect(result.status).toBe('failed');
    expect(result.components?.length).toBeLessThan(10);
  });

  test('the time of the whole check ends every conversation', async () => {
    const messages = Array.from({ length: 8 }, (_, at) => message({ type: `m${at}` }));
    const result = await check(await serveWebsocket({}), { timeoutSeconds: 0.3, messages });
    expect(result.status).toBe('failed');
    expect(result.messages).toHaveLength(8);
    expect(result.reason).toContain('the time of the check was over');
  });

  test('an interruption ends it at once', async () => {
    const url = await serveWebsocket({});
    const interrupted = AbortSignal.timeout(50);
    expect(await check(url, {}, { signal: interrupted })).toMatchObject({
      status: 'inconclusive',
      reason: 'the run was stopped during this check',
    });
  });
});
