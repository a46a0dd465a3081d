/**
 * Instants of the Logging API with nanoseconds, held as RFC 3339 in UTC with nine digits
 * (`2026-01-02T03:04:05.123456789Z`): in that one form the order of strings is the order of time.
 */
export type Timestamp = string;

const rfc3339 = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d{2}:\d{2}))?$/;

/** A date or an RFC 3339 instant in any zone; undefined when it is neither. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = rfc3339.exec(text);
  if (!match) return undefined;
  const [, date, time = '00:00:00', fraction = '', zone = 'Z'] = match;
  const millis = Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  return Number.isNaN(millis) ? undefined : format(millis, Number(fraction.padEnd(9, '0')));
}

export function fromDate(date: Date): Timestamp {
  const millis = date.getTime();
  return format(millis, (((millis % 1000) + 1000) % 1000) * 1_000_000);
}

export function fromProto(proto: { seconds: number; nanos: number }): Timestamp {
  return format(proto.seconds * 1000, proto.nanos);
}

export function toProto(timestamp: Timestamp): { seconds: number; nanos: number } {
  return { seconds: Math.floor(Date.parse(timestamp) / 1000), nanos: Number(timestamp.slice(20, 29)) };
}

/** What the clock says, never the same twice: entries written in one millisecond keep their order. */
export function makeClock(now: () => number = Date.now): () => Timestamp {
  let lastMillis = 0;
  let nanos = 0;
  return () => {
    const millis = Math.max(now(), lastMillis);
    nanos = millis === lastMillis ? nanos + 1000 : 0;
    lastMillis = millis;
    return format(millis, (millis % 1000) * 1_000_000 + Math.min(nanos, 999_999));
  };
}

function format(millis: number, nanos: number): Timestamp {
  return `${new Date(millis).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z`;
}
