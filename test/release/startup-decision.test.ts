import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideRestart, decideStart, type StartSeen } from '../../src/release/startup-decision.ts';
import type { Finding } from '../../src/startup/profile.ts';
import { sampleTarget } from '../plan/samples.ts';

const spec = sampleTarget().startup;
const bare = { ...spec, phases: [], systems: { required: [], optional: [] } };

const fatal: Finding = {
  severity: 'fatal',
  category: 'exit',
  cause: 'Container called exit(3).',
  hint: '',
  count: 1,
  firstSeen: '',
  lastSeen: '',
  entries: ['a'],
};

const complete: StartSeen = {
  beganAt: 0,
  ready: 'yes',
  refusal: '',
  heard: true,
  fatal: null,
  completed: new Set(['INIT', 'READY']),
  failedPhase: null,
  systems: new Map([['Database', { status: 'healthy' as const, detail: '' }]]),
  answered: true,
  addressed: true,
  lastNewsAt: 5_000,
};

describe('good news needs all of it', () => {
  test('and a quiet time after it', () => {
    expect(decideStart(complete, spec, 5_400)).toMatchObject({ kind: 'wait', forMs: 600 });
    expect(decideStart(complete, spec, 6_000)).toMatchObject({ kind: 'started' });
  });

  test.each<[string, Partial<StartSeen>, RegExp]>([
    ['Ready', { ready: 'not-yet' }, /Ready/],
    ['a phase', { completed: new Set(['INIT']) }, /phases READY/],
    ['a system', { systems: new Map() }, /systems Database/],
    ['a URL to ask', { addressed: false }, /a URL/],
  ])('without %s it waits until the deadline, and then it is unknown', (_name, lacks, missing) => {
    const seen = { ...complete, ...lacks };
    const waiting = decideStart(seen, spec, 30_000);
    expect(waiting).toMatchObject({ kind: 'wait', forMs: 30_000 });
    expect(waiting.kind === 'wait' && waiting.missing).toMatch(missing);
    expect(decideStart(seen, spec, 60_000)).toMatchObject({ kind: 'unknown' });
  });

  test('with nothing configured, a probe that passed is no start: it must answer', () => {
    expect(decideStart({ ...complete, answered: false }, bare, 6_000).kind).toBe('wait');
    expect(decideStart(complete, bare, 6_000).kind).toBe('started');
  });
});

describe('of a revision that has run before', () => {
  const untold = { ...complete, heard: false, completed: new Set<string>(), systems: new Map() };

  test('an answer and a quiet time stand for a start that nobody tells, and it says so', () => {
    expect(decideRestart(untold, spec, 5_400, false)).toMatchObject({ kind: 'wait', forMs: 600 });
    const decision = decideRestart(untold, spec, 6_000, false);
    expect(decision).toEqual({
      kind: 'started',
      because: 'Ready, it answers; its log tells of no new start',
    });
    expect(decideRestart({ ...untold, answered: false }, spec, 6_000, false).kind).toBe('wait');
    expect(decideRestart({ ...untold, fatal }, spec, 6_000, false).kind).toBe('failed');
  });

  test('a start that is told is wanted whole', () => {
    expect(decideRestart(untold, spec, 6_000, true).kind).toBe('wait');
    expect(decideRestart(complete, spec, 6_000, true)).toEqual(decideStart(complete, spec, 6_000));
  });
});

describe('bad news decides at once', () => {
  test.each<[string, Partial<StartSeen>, RegExp]>([
    ['a fatal line', { fatal }, /exit\(3\)/],
    ['a False condition', { ready: 'no', refusal: 'failed to listen' }, /failed to listen/],
    ['a failed phase', { failedPhase: 'READY' }, /phase READY failed/],
    [
      'a failed critical system',
      { systems: new Map([['Database', { status: 'failed', detail: 'refused' }]]) },
      /Database failed: refused/,
    ],
  ])('%s', (_name, bad, because) => {
    const decision = decideStart({ ...complete, ...bad }, spec, 0);
    expect(decision.kind).toBe('failed');
    expect(decision.kind === 'failed' && decision.because).toMatch(because);
  });

  test('whatever else was seen, and whenever', () => {
    fc.assert(
      fc.property(
        fc.nat(200_000),
        fc.boolean(),
        fc.constantFrom('yes', 'not-yet'),
        (now, answered, ready) => {
          expect(decideStart({ ...complete, fatal, answered, ready }, spec, now).kind).toBe('failed');
        },
      ),
    );
  });
});

test('waiting always ends: a decision falls at or before the deadline plus the quiet time', () => {
  fc.assert(
    fc.property(
      fc.record({
        ready: fc.constantFrom('yes' as const, 'not-yet' as const),
        answered: fc.boolean(),
        lastNewsAt: fc.nat(600_000),
        completed: fc.subarray(['INIT', 'READY']).map((names) => new Set(names)),
      }),
      (seen) => {
        const latest = 60_000 + spec.quietSeconds * 1000;
        expect(decideStart({ ...complete, ...seen }, spec, latest).kind).not.toBe('wait');
      },
    ),
  );
});
