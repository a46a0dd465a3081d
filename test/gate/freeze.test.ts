import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FreezeWindow } from '../../src/config/gate-spec.ts';
import { frozenBy } from '../../src/gate/freeze.ts';

const once = (from: string, to: string, timeZone = 'UTC'): FreezeWindow => ({
  ...{ kind: 'once', from, to, timeZone, reason: 'holidays' },
});
const weekly = (days: number[], from: number, to: number, timeZone = 'UTC'): FreezeWindow => ({
  ...{ kind: 'weekly', days, from, to, timeZone, reason: 'weekend' },
});
const holds = (window: FreezeWindow, now: string) => frozenBy([window], new Date(now)).length > 0;

const friday = 4;
const sunday = 6;
const four = 16 * 60;

describe('a window holds', () => {
  test.each<[string, FreezeWindow, string, boolean]>([
    ['from the first second of its day', once('2026-12-24', '2026-12-26'), '2026-12-24T00:00:00Z', true],
    ['not a second before', once('2026-12-24', '2026-12-26'), '2026-12-23T23:59:59Z', false],
    ['to the end of its last day', once('2026-12-24', '2026-12-26'), '2026-12-26T23:59:59Z', true],
    ['and no longer', once('2026-12-24', '2026-12-26'), '2026-12-27T00:00:00Z', false],
    ['in its zone', once('2026-12-24', '2026-12-24', 'Asia/Tokyo'), '2026-12-23T15:00:00Z', true],
    ['not outside it', once('2026-12-24', '2026-12-24', 'Asia/Tokyo'), '2026-12-24T15:00:00Z', false],
    [
      'by its own offset',
      once('2026-12-24T18:00:00+01:00', '2026-12-24T19:00:00+01:00'),
      '2026-12-24T17:30:00Z',
      true,
    ],
    [
      'until its time, not longer',
      once('2026-12-24T18:00:00+01:00', '2026-12-24T19:00:00+01:00'),
      '2026-12-24T18:00:00Z',
      false,
    ],
    [
      'by the clock of its zone without an offset',
      once('2026-07-01T09:00', '2026-07-01T10:00', 'Europe/Berlin'),
      '2026-07-01T07:30:00Z',
      true,
    ],
    ['every week', weekly([friday], four, 1440), '2026-11-27T16:00:00Z', true],
    ['not before its time', weekly([friday], four, 1440), '2026-11-27T15:59:59Z', false],
    ['not the day after', weekly([friday], four, 1440), '2026-11-28T16:00:00Z', false],
    ['past midnight', weekly([sunday], four, 6 * 60), '2026-11-30T05:59:00Z', true],
    ['to its end past midnight', weekly([sunday], four, 6 * 60), '2026-11-30T06:00:00Z', false],
    [
      'every week by the clock of its zone',
      weekly([friday], four, 1440, 'America/New_York'),
      '2026-11-28T04:59:00Z',
      true,
    ],
  ])('%s', (_, window, now, expected) => {
    expect(holds(window, now)).toBe(expected);
  });

  test('and says until when', () => {
    const [found] = frozenBy(
      [once('2026-12-24', '2026-12-26', 'Europe/Berlin')],
      new Date('2026-12-25T12:00:00Z'),
    );
    expect(found).toEqual({ reason: 'holidays', until: 'the end of 2026-12-26 (Europe/Berlin)' });
  });
});

test('a week of whole days is always frozen, whatever the zone', () => {
  const zone = fc.constantFrom('UTC', 'Asia/Kolkata', 'Pacific/Chatham', 'America/St_Johns');
  const moment = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(moment, zone, (now, timeZone) => {
      expect(frozenBy([weekly([0, 1, 2, 3, 4, 5, 6], 0, 1440, timeZone)], now)).toHaveLength(1);
      expect(frozenBy([weekly([], 0, 1440, timeZone)], now)).toHaveLength(0);
    }),
  );
});
