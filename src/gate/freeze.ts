import type { FreezeWindow } from '../config/gate-spec.ts';

/** The windows that hold now, each with until when. Pure: the clock is an argument. */
export function frozenBy(windows: readonly FreezeWindow[], now: Date): { reason: string; until: string }[] {
  return windows.flatMap((window) => {
    const until = window.kind === 'once' ? untilOnce(window, now) : untilWeekly(window, now);
    return until === undefined ? [] : [{ reason: window.reason, until }];
  });
}

function untilOnce(window: FreezeWindow & { kind: 'once' }, now: Date): string | undefined {
  const { from, to, timeZone } = window;
  if (isBefore(now, from, timeZone) || !isWithin(now, to, timeZone)) return undefined;
  return isDay(to) ? `the end of ${to} (${timeZone})` : hasOffset(to) ? to : `${to} (${timeZone})`;
}

/** A window that ends before it begins runs into the next day. */
function untilWeekly(window: FreezeWindow & { kind: 'weekly' }, now: Date): string | undefined {
  const { days, from, to, timeZone } = window;
  const { weekday, minute } = wallClock(now, timeZone);
  const overnight = to <= from;
  const today = days.includes(weekday) && minute >= from && (overnight || minute < to);
  const sinceYesterday = overnight && days.includes((weekday + 6) % 7) && minute < to;
  return today || sinceYesterday ? `${clock(to)} (${timeZone})` : undefined;
}

/** An edge with an offset is an instant; without one it is read on the wall of its zone, where strings sort by time. */
function isBefore(now: Date, edge: string, timeZone: string): boolean {
  if (hasOffset(edge)) return now.getTime() < Date.parse(edge);
  return wallClock(now, timeZone).text.slice(0, edge.length) < edge;
}

/** A day counts to its end, a time to its beginning. */
function isWithin(now: Date, edge: string, timeZone: string): boolean {
  if (isDay(edge)) return wallClock(now, timeZone).text.slice(0, edge.length) <= edge;
  return isBefore(now, edge, timeZone);
}

const isDay = (edge: string) => edge.length === 10;
const hasOffset = (edge: string) => /T.*(Z|[+-]\d\d:\d\d)$/.test(edge);
const clock = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** What a clock on a wall in the zone shows: `2026-12-24T18:00:00`, the minute of the day, the day from Monday = 0. */
function wallClock(now: Date, timeZone: string): { text: string; minute: number; weekday: number } {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  const text = format.format(now).replace(' ', 'T');
  const weekday = (new Date(`${text}Z`).getUTCDay() + 6) % 7;
  return { text, minute: Number(text.slice(11, 13)) * 60 + Number(text.slice(14, 16)), weekday };
}
