import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normaliseMessage } from '../../src/checks/normalise-message.ts';

test.each<[string, string]>([
  ['connection to 10.0.0.7:5432 refused after 3 tries', 'connection to #:# refused after # tries'],
  ['user "ada" has no role', 'user <value> has no role'],
  ["can't open 'a.txt', won't try `b`", "can't open <value>, won't try <value>"],
  ['at 2026-11-22T02:31:06.123Z: late', 'at <time>: late'],
  ['2026-11-22 02:31:06,123 late', '<time> late'],
  ['request 3f2b8c1a-0d4e-4c5b-9a7f-1234567890ab failed', 'request # failed'],
  ['object deadbeefcafe is gone, so is 0x7ffe', 'object # is gone, so is #'],
  ['session V1StGXR8_Z5jdHi6B-myT expired', 'session # expired'],
  ['File app/main.py, line 42', 'File app/main.py, line #'],
  ['src/server.js:12:7 threw', 'src/server.js:#:# threw'],
  ['ERR_MODULE_NOT_FOUND   utf-8', 'ERR_MODULE_NOT_FOUND utf-#'],
  ['', ''],
])('%j', (message, expected) => {
  expect(normaliseMessage(message)).toBe(expected);
});

/** Words that no rule takes for an id. */
const word = fc.constantFrom(
  'cannot',
  'reach',
  'database',
  'user',
  'of',
  'at',
  'FATAL:',
  "isn't",
  '->',
  '(retry)',
);
const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const ids = {
  number: fc.nat().map(String),
  decimal: fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => value.toFixed(3)),
  hex: hex(16),
  uuid: fc.uuid(),
  time: fc
    .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  quoted: fc.string({ unit: fc.constantFrom(...'abc 019./-') }).map((text) => `"${text}"`),
  line: fc.nat({ max: 9_999 }).map((line) => `src/app.py:${line}`),
  name: hex(6).map((suffix) => `chat-r1127-082116-${suffix}`),
};
const kind = fc.constantFrom<(keyof typeof ids)[]>(
  'number',
  'decimal',
  'hex',
  'uuid',
  'time',
  'quoted',
  'line',
  'name',
);

test('two messages that differ in ids alone are one error', () => {
  const pair = fc
    .array(
      fc.oneof(
        word,
        kind.map((name) => ({ name })),
      ),
      { minLength: 1, maxLength: 12 },
    )
    .chain((parts) => {
      const once = fc.tuple(
        ...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : ids[part.name])),
      );
      return fc.tuple(once, once);
    });
  fc.assert(
    fc.property(pair, ([one, other]) => {
      expect(normaliseMessage(one.join(' '))).toBe(normaliseMessage(other.join(' ')));
    }),
  );
});

test('messages of other words stay apart', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), fc.array(word, { maxLength: 6 }), (one, other) => {
      fc.pre(one.join(' ') !== other.join(' '));
      expect(normaliseMessage(one.join(' '))).not.toBe(normaliseMessage(other.join(' ')));
    }),
  );
});

test('normalising twice changes nothing, whatever the text', () => {
  const hostile = fc.string({ unit: fc.constantFrom(...`"'\`0189afxZ-:.T_<>/ \n`), maxLength: 200 });
  fc.assert(
    fc.property(fc.oneof(hostile, fc.string({ maxLength: 200 })), (text) => {
      const once = normaliseMessage(text);
      expect(normaliseMessage(once)).toBe(once);
    }),
    { numRuns: 500 },
  );
});
