import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseEntries, parseEntriesText } from '../../src/startup/entries.ts';
import { defaultFormats, presets } from '../../src/startup/presets.ts';
import { createStartupReader } from '../../src/startup/reader.ts';
import { entries, probePassed, read, system } from './logs.ts';

describe('formats', () => {
  const same = {
    outcome: 'started',
    totalSeconds: 2,
    phases: [
      { name: 'INIT', seconds: 0.5, share: 0.25, outcome: 'completed' },
      { name: 'LOAD', seconds: 1.5, share: 0.75, outcome: 'completed' },
    ],
    systems: [
      { name: 'Database', status: 'healthy' },
      { name: 'Cache', status: 'degraded' },
    ],
  };
  test.each([
    [
      'emoji',
      [
        '🔄 PHASE TRANSITION → INIT',
        '✅ PHASE COMPLETED: INIT (0.500s)',
        '✅ PHASE COMPLETED: LOAD (1.500s)',
        '   Database: ✅ Connected',
        '   Cache: ⚠️ Slow',
        '✅ Total Time: 2.000s',
        '🚀 DETERMINISTIC STARTUP SEQUENCE COMPLETED SUCCESSFULLY',
      ],
    ],
    [
      'plain',
      [
        ' PASS:  PHASE COMPLETED: INIT (0.500s)',
        ' PASS:  PHASE COMPLETED: LOAD (1.500s)',
        '   Database:  PASS:  Connected',
        '   Cache:  WARNING:  Slow',
        ' PASS:  Total Time: 2.000s',
        '[U+1F680] STARTUP SEQUENCE COMPLETED',
      ],
    ],
    [
      'key=value',
      [
        'level=info phase=INIT seconds=0.5',
        'seconds=1.5 phase="LOAD" status=ok',
        'system=Database status=up',
        'system=Cache status=slow',
        'startup=complete total=2',
      ],
    ],
    [
      'json',
      [
        { event: 'phase', phase: 'INIT', seconds: 0.5 },
        { event: 'phase.completed', name: 'LOAD', duration_ms: 1500 },
        { event: 'system', name: 'Database', status: 'healthy' },
        { system: 'Cache', status: 'slow' },
        { event: 'startup_complete', total_seconds: 2 },
      ],
    ],
    [
      'json in text',
      [
        '{"event":"phase","phase":"INIT","duration_ms":500}',
        '{"phase":"LOAD","seconds":1.5}',
        '{"event":"system","system":"Database","status":"ok"}',
        '{"event":"system","system":"Cache","status":"degraded"}',
        '{"event":"startup.complete","total_seconds":2}',
      ],
    ],
  ])('%s', (_name, lines) => {
    expect(read(entries(lines)).profile).toMatchObject(same);
  });

  test('a pattern of the config', () => {
    const formats = [
      {
        name: 'own',
        json: [],
        lines: [
          { says: 'phase-completed' as const, pattern: '^\\[boot\\] (?<name>\\w+) took (?<ms>\\d+)ms' },
        ],
      },
    ];
    const reader = createStartupReader({ formats, requiredSystems: ['Database'] });
    for (const entry of entries(['[boot] routes took 250ms', '✅ PHASE COMPLETED: INIT (1.0s)']))
      reader.push(entry);
    expect(reader.profile('shop-00001-abc')).toMatchObject({
      phases: [{ name: 'routes', seconds: 0.25, share: 1 }],
      systems: [{ name: 'Database', status: 'not-reported' }],
    });
  });

  test('presets are by name', () =>
    expect(Object.keys(presets)).toEqual(['field-report', 'key-value', 'json']));
});

describe('outcomes', () => {
  const exits = (count: number) =>
    Array.from({ length: count }, (_, n) =>
      system(['Container called exit(3).'], { instance: `i${n}`, from: n * 10 }),
    ).flat();
  test('two exits are a crash loop, whatever the probe said', () => {
    const { profile } = read([...system([probePassed]), ...exits(2)]);
    expect(profile).toMatchObject({ outcome: 'crash-loop', rootCause: { category: 'exit' } });
  });
  test('a start after failed ones has started; they are told as errors', () => {
    const { profile } = read([
      ...exits(3),
      ...entries(['INFO:     Application startup complete.'], { instance: 'late', from: 90 }),
    ]);
    expect(profile).toMatchObject({ outcome: 'started', rootCause: null });
    expect(profile.findings).toMatchObject([{ category: 'exit', severity: 'error', count: 3 }]);
  });
  test('dying again and again after complete starts is a crash loop', () => {
    const lives = [0, 1, 2].flatMap((n) => [
      ...entries(['INFO:     Application startup complete.'], { instance: `i${n}`, from: n * 10 }),
      ...(n < 2 ? system(['Container called exit(1).'], { instance: `i${n}`, from: n * 10 + 5 }) : []),
    ]);
    expect(read(lives).profile.outcome).toBe('crash-loop');
  });
  test('an exit with 0 fails a start, and ends a started service quietly', () => {
    const exit = system(['Container called exit(0).'], { from: 5 });
    expect(read(exit).profile).toMatchObject({
      outcome: 'failed',
      rootCause: { category: 'exit', severity: 'fatal' },
    });
    expect(read([...entries(['INFO:     Application startup complete.']), ...exit]).profile).toMatchObject({
      outcome: 'started',
      findings: [{ severity: 'warning' }],
    });
  });
  test('asked to stop, a started service ends without a finding', () => {
    const { profile } = read([
      ...entries(['Server listening on port 8080', 'SIGTERM received'], { from: 1 }),
      ...system(['Container called exit(0).', 'Container terminated on signal 15.'], { from: 5 }),
    ]);
    expect(profile).toMatchObject({ outcome: 'started', findings: [] });
  });
  test('what answers has started, unless a phase is open', () => {
    const answer = entries(['10.0.0.1 - - "GET / HTTP/1.1" 200'], { from: 9 });
    expect(read(answer).profile.outcome).toBe('started');
    expect(read([...answer, ...entries(['phase=DB'])]).profile.outcome).toBe('unknown');
  });
  test('phases that are all over and a port that listens are a start', () => {
    const { profile } = read(entries(['phase=DB took=250ms', 'Server listening on port 8080']));
    expect(profile).toMatchObject({ outcome: 'started', phases: [{ name: 'DB', seconds: 0.25, share: 1 }] });
  });
  const probeTimedOut =
    'Default STARTUP TCP probe failed 1 time consecutively for container "shop-1" on port 8080. The instance was not started.';
  test('a service that listens elsewhere is told where, whatever ended it then', () => {
    const { profile } = read([
      ...entries(['INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)']),
      ...system([probeTimedOut, 'Container terminated on signal 9.'], { from: 240 }),
    ]);
    expect(profile.rootCause).toMatchObject({
      category: 'port',
      cause: 'The startup probe failed: nothing answered on port 8080; it listens on http://127.0.0.1:8000',
    });
  });
  test('an exit explains the probe that failed with it', () => {
    const { profile } = read([
      ...entries(['open /app/index.html: no such file or directory']),
      ...system([probeTimedOut, 'Container called exit(1).'], { from: 1 }),
    ]);
    expect(profile.rootCause?.cause).toBe(
      'The container exited with exit code 1; its last line: open /app/index.html: no such file or directory',
    );
  });
  test('a condition that turned False tells its message, and the cause before it explains it', () => {
    const message =
      "Ready condition status changed to False for Revision shop-00001-abc with message: Revision 'shop-00001-abc' is not ready and cannot serve traffic. The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment variable within the allocated timeout.";
    const condition = entries(['x'], {
      log: 'cloudaudit.googleapis.com/system_event',
      instance: '',
      from: 9,
    }).map((entry) => ({
      ...entry,
      payload: { kind: 'proto' as const, json: { status: { message } } },
    }));
    expect(read(condition).profile).toMatchObject({ outcome: 'failed', rootCause: { category: 'port' } });
    const { profile } = read([
      ...condition,
      ...entries(["Error: Cannot find module 'ws'", 'Node.js v24.1.0']),
    ]);
    expect(profile).toMatchObject({ outcome: 'failed', rootCause: { category: 'import' } });
    expect(profile.findings.map((finding) => finding.category)).toContain('port');
  });
  test.each([
    [
      'Memory limit of 512 MiB exceeded with 530 MiB used. Consider increasing the memory limit.',
      'memory',
      /512 MiB/,
    ],
    ['Container terminated on signal 9.', 'exit', /signal 9/],
    ['Uncaught signal: 11, pid=1, tid=1, fault_addr=0.', 'exception', /signal 11/],
    ['terminated: Application failed to start: "/app/start.sh": not found', 'error', /start\.sh": not found/],
    [
      'STARTUP HTTP probe failed 3 times consecutively for container "shop-1" on port 8080 path "/healthz". The instance was not started.',
      'port',
      /\/healthz on port 8080/,
    ],
    ['Container called exit(137).', 'exit', /137/],
    [
      'Default STARTUP TCP probe failed 1 time consecutively for container "shop-1" on port 8080. The instance was not started.',
      'port',
      /port 8080/,
    ],
  ])('%s', (line, category, cause) => {
    const { rootCause, outcome } = read(system([line])).profile;
    expect([outcome, rootCause?.category]).toEqual(['failed', category]);
    expect(rootCause?.cause).toMatch(cause);
  });
});

describe('signals', () => {
  test('only what is newly known', () => {
    const lines = entries([
      '🔄 PHASE TRANSITION → INIT',
      '✅ PHASE COMPLETED: INIT (1.000s)',
      '   Redis: ✅ Up',
      '✅ Total Time: 1.000s',
    ]);
    const { signals } = read([...lines, ...lines]);
    expect(signals.map((signal) => signal.kind)).toEqual(['phase', 'phase', 'system', 'total']);
    const reader = createStartupReader({ formats: defaultFormats });
    const [first, second] = entries(['nothing to see', 'nor here']).map((entry) => reader.push(entry));
    expect(first).toBe(second);
  });
  test('a repeated error is told once, and again when it turns out fatal', () => {
    const trace = entries([
      'Traceback (most recent call last):',
      '  File "/app/a.py", line 1, in <module>',
      'ValueError: no',
    ]);
    const { signals } = read([...trace, ...system(['Container called exit(1).'], { from: 1 })]);
    const told = signals.flatMap((signal) =>
      signal.kind === 'finding' || signal.kind === 'fatal'
        ? [[signal.kind, signal.finding.severity, signal.finding.category]]
        : [],
    );
    expect(told).toEqual([
      ['finding', 'error', 'exception'],
      ['finding', 'fatal', 'exit'],
      ['fatal', 'fatal', 'exit'],
      ['finding', 'fatal', 'exception'],
      ['fatal', 'fatal', 'exception'],
    ]);
  });
});

describe('streams', () => {
  const stream = [
    ...system(['Starting new instance. Reason: AUTOSCALING'], { instance: 'a' }),
    ...entries(
      [
        '🔄 PHASE TRANSITION → INIT',
        '✅ PHASE COMPLETED: INIT (1.0s)',
        '🔄 PHASE TRANSITION → DB',
        'Traceback (most recent call last):',
        'ConnectionRefusedError: [Errno 111] Connection refused',
        'The above exception was the direct cause of the following exception:',
        'Traceback (most recent call last):',
        'sqlalchemy.exc.OperationalError: could not connect',
        ' FAIL:  PHASE FAILED: DB - could not connect',
      ],
      { instance: 'a', from: 1 },
    ),
    ...system(['Container called exit(1).'], { instance: 'a', from: 2 }),
    ...entries(['✅ PHASE COMPLETED: INIT (2.0s)', '   Redis: ❌ Down', { level: 40, msg: 'slow' }], {
      instance: 'b',
      from: 5,
    }),
    ...system(['Container called exit(1).'], { instance: 'b', from: 6 }),
    ...entries(['INFO:     Application startup complete.'], {
      revision: 'shop-00002-xyz',
      instance: 'c',
      from: 7,
    }),
    ...entries(['"GET /health HTTP/1.1" 200'], { revision: '', instance: '', from: 8 }),
  ];
  const reportOf = (all: typeof stream) => {
    const reader = createStartupReader({ formats: defaultFormats });
    for (const entry of all) reader.push(entry);
    return reader.report();
  };
  test('mixed revisions and instances', () => {
    expect(reportOf(stream).revisions).toMatchObject([
      {
        revision: 'shop-00001-abc',
        outcome: 'crash-loop',
        rootCause: { category: 'database', cause: 'ConnectionRefusedError: [Errno 111] Connection refused' },
        systems: [{ name: 'Redis', status: 'failed' }],
      },
      { revision: 'shop-00002-xyz', outcome: 'started' },
    ]);
  });
  test('any order and any repeats give the same report', () => {
    const expected = reportOf(stream);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(stream, { minLength: stream.length }),
        fc.array(fc.constantFrom(...stream)),
        (all, again) => {
          expect(reportOf([...all, ...again])).toEqual(expected);
        },
      ),
    );
  });
  test('one service, from one time on', () => {
    const reader = createStartupReader({
      formats: [],
      service: 'shop',
      startedAfter: '2026-03-01T10:00:05Z',
    });
    for (const entry of [...stream, ...entries(['ERROR: x'], { service: 'other', from: 20 })])
      reader.push(entry);
    expect(
      reader
        .report()
        .revisions.map((profile) => [
          profile.service,
          profile.findings.find((f) => f.category === 'exit')?.count,
        ]),
    ).toEqual([
      ['shop', 1],
      ['shop', undefined],
    ]);
  });
});

describe('hostile input', () => {
  test('escape sequences, controls and passwords do not reach a cause', () => {
    const { profile } = read(
      entries([
        '\x1b[31mERROR: cannot open postgres://app:hunter2@db/x\x1b]0;title\x07\u202e\x9b31m now\x1b[0m',
      ]),
    );
    const text = JSON.stringify(profile);
    expect(text).not.toMatch(/hunter2|\\u001b|\\u0007|\u202e|\u009b/);
    expect(profile.findings).toMatchObject([{ severity: 'error' }]);
  });
  test('no payload makes it throw, and all stays bounded', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string({ maxLength: 300 }),
            fc.dictionary(
              fc.constantFrom('message', 'err', 'level', 'event', 'phase', 'status', 'exception'),
              fc.jsonValue(),
            ),
          ),
          { maxLength: 30 },
        ),
        (lines) => {
          const reader = createStartupReader({ formats: defaultFormats });
          for (const entry of entries(lines.map((line) => (typeof line === 'string' ? line : { ...line }))))
            reader.push(entry);
          expect(reader.report().revisions.length).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
  test('floods are capped, and said to be', () => {
    const word = (n: number) =>
      String.fromCharCode(97 + (n % 26), 97 + (Math.floor(n / 26) % 26), 97 + (Math.floor(n / 676) % 26));
    const { profile } = read(
      entries(Array.from({ length: 2000 }, (_, n) => `ERROR: trouble with ${word(n)}`)),
    );
    expect(profile.findings.length).toBeLessThanOrEqual(70);
    expect(profile.findings.some((finding) => finding.cause.startsWith('More was found'))).toBe(true);
    const reader = createStartupReader({ formats: [] });
    for (let n = 0; n < 100; n += 1)
      for (const entry of entries(['x'], { revision: `r-${n}` })) reader.push(entry);
    expect(reader.report()).toMatchObject({ omittedRevisions: 36, revisions: { length: 64 } });
  });
  test('a line of a megabyte is looked at in part', () => {
    const { profile } = read(entries([`ERROR: ${'a'.repeat(1_000_000)}`, `${'('.repeat(500_000)}`]));
    expect(profile.findings[0]?.cause.length).toBeLessThanOrEqual(400);
  });
});

describe('entries of gcloud logging read', () => {
  const raw = {
    insertId: 'a1',
    timestamp: '2026-03-01T10:00:00.123456789Z',
    severity: 'INFO',
    textPayload: 'hello',
    logName: 'projects/p/logs/run.googleapis.com%2Fstdout',
    labels: { instanceId: 'i' },
    resource: { type: 'cloud_run_revision', labels: { service_name: 's', revision_name: 's-1' } },
  };
  const entry = {
    insertId: 'a1',
    timestamp: raw.timestamp,
    severity: 'INFO',
    log: 'run.googleapis.com/stdout',
    service: 's',
    revision: 's-1',
    instance: 'i',
    payload: { kind: 'text', text: 'hello' },
    trace: '',
  };
  test.each([
    ['an array', JSON.stringify([raw, raw])],
    ['a line each, one torn', `${JSON.stringify(raw)}\n${JSON.stringify(raw)}\n{"insertId":`],
  ])('%s', (_name, text) => {
    expect(parseEntriesText(text).entries).toEqual([entry, entry]);
    expect(parseEntriesText(text).skipped).toBe(text.includes('\n') ? 1 : 0);
  });
  test('what is missing or strange is mended, what is no entry is counted', () => {
    const { insertId: _id, ...nameless } = raw;
    const { entries: got, skipped } = parseEntries([
      nameless,
      nameless,
      { ...raw, severity: 'LOUD', timestamp: '2026-03-01T11:00:00+01:00' },
      7,
      null,
      { textPayload: 'no time' },
    ]);
    expect(skipped).toBe(3);
    expect(got.map((one) => one.severity)).toEqual(['INFO', 'INFO', 'DEFAULT']);
    expect(got[0]?.insertId).toBe(got[1]?.insertId);
    expect(got[2]?.timestamp).toBe('2026-03-01T10:00:00.000Z');
  });
});
