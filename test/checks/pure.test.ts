import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lookUp } from '../../src/checks/json-path.ts';
import { nearestRank } from '../../src/checks/percentile.ts';
import { oneLine } from '../../src/checks/text.ts';

const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });

describe('nearest-rank percentile', () => {
  test('is the smallest sample that so many percent do not exceed', () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 100 }), (values, percentile) => {
        const found = nearestRank(values, percentile);
        const share = (limit: number) => values.filter((value) => value <= limit).length / values.length;
        expect(values).toContain(found);
        expect(share(found) * 100).toBeGreaterThanOrEqual(percentile - 1e-9);
        for (const smaller of values.filter((value) => value < found))
          expect(share(smaller) * 100).toBeLessThan(percentile + 1e-9);
      }),
    );
  });

  test.each([
    [[15, 20, 35, 40, 50], 30, 20],
    [[15, 20, 35, 40, 50], 40, 20],
    [[50, 15, 40, 20, 35], 100, 50],
    [Array.from({ length: 100 }, (_, index) => index + 1), 7, 7],
    [Array.from({ length: 1000 }, (_, index) => index + 1), 99.9, 999],
    [[7], 1, 7],
  ])('of %j at %d is %d', (values, percentile, expected) => {
    expect(nearestRank(values, percentile)).toBe(expected);
  });

  test('of nothing is refused', () => {
    expect(() => nearestRank([], 50)).toThrow(RangeError);
  });
});

describe('JSON path', () => {
  const part = fc.stringMatching(/^[A-Za-z_-]{1,8}$/);

  test('finds what lies at the path, and nothing under a key that is not there', () => {
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 6 }),
        fc.jsonValue(),
        part,
        (parts, leaf, other) => {
          const document = parts.reduceRight<unknown>((value, key) => ({ [key]: value }), leaf);
          expect(lookUp(JSON.parse(JSON.stringify(document)), parts.join('.'))).toEqual({
            found: true,
            value: JSON.parse(JSON.stringify(leaf)),
          });
          const beside = [...parts.slice(0, -1), `${parts.at(-1)}${other}`].join('.');
          expect(lookUp(document, beside)).toMatchObject({
            found: false,
            above: parts.slice(0, -1).join('.'),
          });
        },
      ),
    );
  });

  test.each([
    'constructor',
    '__proto__',
    'toString',
    'a.length',
    'list.length',
    'list.-1',
    'list.2',
    'a.b.c',
    '',
  ])('does not find %j', (path) => {
    expect(lookUp({ a: { b: 'text' }, list: [1, 2] }, path).found).toBe(false);
  });
});

test('foreign text becomes one bounded line without control characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
      const line = oneLine(text, 50);
      expect(line.length).toBeLessThanOrEqual(50);
      expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]/);
    }),
  );
  expect(oneLine('\x1b[31mred\x1b[0m \x1b]0;title\x07 a\r\nb\u202e')).toBe('red a b');
  expect(oneLine('x'.repeat(1e6), 10)).toBe(`${'x'.repeat(9)}…`);
});
