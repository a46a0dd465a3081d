import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { table } from '../../src/terminal/columns.ts';
import {
  bar,
  formatMilliseconds,
  formatSeconds,
  formatShare,
  shortDigest,
} from '../../src/terminal/format.ts';

describe('figures', () => {
  test.each([
    [null, '–'],
    [0, '0.00 s'],
    [1.449, '1.45 s'],
    [9.999, '10.0 s'],
    [14.08, '14.1 s'],
    [99.96, '1m 40s'],
    [3725, '1h 2m 5s'],
  ])('%s seconds are %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  test('milliseconds, shares and digests', () => {
    expect(formatMilliseconds(12.4)).toBe('12 ms');
    expect(formatMilliseconds(1340)).toBe('1.34 s');
    expect(formatShare(0.719)).toBe('72 %');
    expect(formatShare(null)).toBe('');
    expect(shortDigest(`sha256:${'ab'.repeat(32)}`)).toBe('sha256:abababababab');
  });
});

describe('bars', () => {
  test('grow in eighths, and a little is still seen', () => {
    expect(bar(1, 4)).toBe('████');
    expect(bar(0.5, 4)).toBe('██');
    expect(bar(0.53125, 4)).toBe('██▏');
    expect(bar(0.0001, 4)).toBe('▏');
    expect(bar(0, 4)).toBe('');
    expect(bar(null, 4)).toBe('');
  });

  test('never leave their width', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 10, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        (share, width) => {
          expect(stringWidth(bar(share, width))).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});

test('a table is aligned by what a terminal shows', () => {
  const rows = [
    ['名前', '1 s', 'x'],
    ['\u001b[31ma\u001b[39m', '10 s', 'y'],
  ];
  expect(table(rows, ['left', 'right'])).toEqual(['名前   1 s  x', '\u001b[31ma\u001b[39m     10 s  y']);
});
