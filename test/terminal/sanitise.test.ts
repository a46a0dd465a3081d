import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sanitise, sanitiseLine } from '../../src/terminal/sanitise.ts';

describe('foreign text is safe to show', () => {
  test.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['a window title', '\u001b]0;owned\u0007text', 'text'],
    ['clearing the screen', 'a\u001b[2J\u001b[Hb', 'ab'],
    ['an 8-bit CSI', 'a\u009b31mb', 'ab'],
    ['other C1 controls', 'a\u0085\u0090b', 'ab'],
    ['overwriting a line', 'ok\rfailed', 'okfailed'],
    ['backspaces and bells', 'a\b\b\u0007b', 'ab'],
    ['a lone escape', 'a\u001b', 'a'],
    ['turned reading direction', 'a\u202eb\u2066c\u2069', 'abc'],
    ['tabs and newlines stay', 'a\tb\nc', 'a\tb\nc'],
    ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
    ['emoji stay', '✅ 🚀 ready', '✅ 🚀 ready'],
  ])('%s', (_, text, shown) => {
    expect(sanitise(text)).toBe(shown);
  });

  test.each([
    ['::set-env name=PATH::/evil'],
    ['  ::error::boo'],
    ['fine\n::add-mask::x'],
    ['text ##[group]x'],
    ['\u001b[0m::set-output name=a::b'],
  ])('%j is no command to a CI runner', (text) => {
    const shown = sanitise(text);
    expect(shown).not.toMatch(/^\s*::/m);
    expect(shown).not.toContain('##[');
  });

  test('one line stays one line', () => {
    expect(sanitiseLine(' a\nb\u2028c\td \n')).toBe('a b c d');
  });

  test('a gigabyte on one line is cut, and says so', () => {
    const shown = sanitise('x'.repeat(50_000_000));
    expect(shown).toHaveLength(2000);
    expect(shown.endsWith('…')).toBe(true);
  });

  test('whatever comes in, nothing that moves a cursor comes out', () => {
    const nasty = fc.array(
      fc.constantFrom(
        '\u001b',
        '[',
        ']',
        '2J',
        '31m',
        '\u009b',
        '\u0007',
        '::',
        '##[',
        '\n',
        ' ',
        'a',
        '\u202e',
      ),
    );
    fc.assert(
      fc.property(nasty, (parts) => {
        const shown = sanitise(parts.join(''));
        expect(shown).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
        expect(shown).not.toMatch(/^\s*::|##\[/m);
      }),
    );
  });
});
