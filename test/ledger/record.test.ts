import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeSegment } from '../../src/ledger/encode.ts';
import { decodeSegments, type ReleaseRecord, type Segment } from '../../src/ledger/record.ts';
import type { DurableEvent, Stamped } from '../../src/release/events.ts';

const id = '20261101T000000-staging-aaaa';

const event = fc.record({
  type: fc.constant('preflight.failed' as const),
  service: fc.string({ unit: 'binary', maxLength: 8 }),
  problems: fc.array(fc.record({ what: fc.string({ unit: 'grapheme', maxLength: 12 }) }), { maxLength: 2 }),
});

/** A record in segments, as the recorder writes it: at least two lines. */
const written = fc
  .array(fc.array(event, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 4 })
  .map(segmentsOf);

function segmentsOf(batches: DurableEvent[][]): Segment[] {
  let head = id;
  let seq = 0;
  return batches.map((batch, index) => {
    const stamped = batch.map((each): Stamped<DurableEvent> => {
      seq += 1;
      return { v: 1, release: id, seq, at: '2026-11-01T00:00:00Z', event: each };
    });
    const segment = encodeSegment(head, stamped);
    head = segment.head;
    return { name: `releases/${id}/00000${index + 1}.ndjson`, bytes: segment.bytes };
  });
}

const textOf = (segments: Segment[]): string[] =>
  segments.map(({ bytes }) => Buffer.from(bytes).toString('utf8'));
const read = (segments: Segment[]): ReleaseRecord => decodeSegments(id, segments);
const damaged = (record: ReleaseRecord): boolean =>
  !record.intact && record.problems.some(({ kind }) => kind === 'damaged');

const linesOf = (segments: Segment[]): string[] => textOf(segments).join('').split('\n').slice(0, -1);
const asOne = (lines: string[]): Segment[] => [
  { name: 'one', bytes: Buffer.from(lines.map((line) => `${line}\n`).join('')) },
];

describe('a chained record', () => {
  test('as it was written is intact, however its lines lie in segments', () => {
    fc.assert(
      fc.property(written, (segments) => {
        const record = read(segments);
        expect(record).toMatchObject({
          problems: [],
          intact: true,
          chained: true,
          segments: segments.length,
        });
        expect(read(asOne(linesOf(segments)))).toEqual({ ...record, segments: 1 });
      }),
    );
  });

  test('shows any one byte that was changed, put in or taken out', () => {
    const edit = fc.record({
      at: fc.nat(),
      how: fc.constantFrom('change', 'insert', 'remove'),
      byte: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(written, edit, (segments, { at, how, byte }) => {
        const whole = Buffer.from(textOf(segments).join(''));
        const place = at % whole.length;
        fc.pre(how === 'remove' || whole[place] !== byte);
        const bytes = Buffer.concat([
          whole.subarray(0, place),
          how === 'remove' ? Buffer.alloc(0) : Buffer.from([byte]),
          whole.subarray(how === 'insert' ? place : place + 1),
        ]);
        expect(damaged(read([{ name: 'one', bytes }]))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('shows a line that was removed, repeated, or taken elsewhere', () => {
    fc.assert(
      fc.property(written, fc.nat(), fc.nat(), (segments, from, to) => {
        const lines = linesOf(segments);
        const taken = from % lines.length;
        const without = lines.filter((_, index) => index !== taken);
        // Without its last line it is the beginning of a record: one that has no end.
        if (taken < lines.length - 1) expect(damaged(read(asOne(without)))).toBe(true);
        else expect(read(asOne(without)).events).toHaveLength(lines.length - 1);
        expect(damaged(read(asOne(lines.toSpliced(taken, 0, lines[taken] ?? ''))))).toBe(true);
        const place = to % lines.length;
        fc.pre(place !== taken);
        expect(damaged(read(asOne(without.toSpliced(place, 0, lines[taken] ?? ''))))).toBe(true);
      }),
    );
  });

  test('shows a segment that is cut anywhere but between two lines, and is readable up to there', () => {
    fc.assert(
      fc.property(written, fc.nat(), (segments, at) => {
        const whole = Buffer.from(textOf(segments).join(''));
        const bytes = whole.subarray(0, at % whole.length);
        fc.pre(bytes.length > 0 && bytes.at(-1) !== 0x0a);
        const record = read([{ name: 'one', bytes }]);
        expect(damaged(record)).toBe(true);
        expect(record.events).toEqual(read(segments).events.slice(0, record.events.length));
      }),
    );
  });

  test('does not pass for the record of another release', () => {
    const [segment] = segmentsOf([[{ type: 'stage.started', service: 'chat', stage: 'build' }]]);
    const other = id.replace('aaaa', 'bbbb');
    const text = Buffer.from(segment?.bytes ?? [])
      .toString()
      .replaceAll(id, other);
    const record = decodeSegments(other, [{ name: 'one', bytes: Buffer.from(text) }]);
    expect(record).toMatchObject({ intact: false, problems: [{ kind: 'damaged', line: 1 }] });
  });

  test('tells a damage once, and reads on', () => {
    const batch = ['a', 'b', 'c', 'd'].map(
      (service): DurableEvent => ({ type: 'stage.started', service, stage: 'build' }),
    );
    const lines = linesOf(segmentsOf([batch]));
    const record = read(asOne(lines.with(1, (lines[1] ?? '').replace('"b"', '"x"'))));
    expect(record.problems).toEqual([{ kind: 'damaged', segment: 'one', line: 2, why: expect.any(String) }]);
    expect(record.events.map(({ event: each }) => 'service' in each && each.service)).toEqual([
      'a',
      'x',
      'c',
      'd',
    ]);
  });
});

test('a record of before there was a chain is readable, and is no evidence', () => {
  const events = [1, 2].map((seq): Stamped<DurableEvent> => {
    const started = { type: 'stage.started', service: 'chat', stage: 'build' } as const;
    return { v: 1, release: id, seq, at: '2026-11-01T00:00:00Z', event: started };
  });
  const lines = events.map((each) => JSON.stringify(each));
  expect(read(asOne(lines))).toMatchObject({ events, problems: [], chained: false, intact: false });
});

test('a chained line in words of a later version is no damage', () => {
  const later = { v: 1, release: id, seq: 1, at: '', event: { type: 'rocket.launched' } };
  const { bytes } = encodeSegment(id, [later as unknown as Stamped<DurableEvent>]);
  const record = read([{ name: 'one', bytes }]);
  expect(record).toMatchObject({ intact: true, events: [], problems: [{ kind: 'unknown', line: 1 }] });
});
