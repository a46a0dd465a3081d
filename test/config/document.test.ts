import { describe, expect, test } from 'vitest';
import { parseSource } from '../../src/config/document.ts';
import { parse, problemsOf, short } from './parse.ts';

const broken: [what: string, text: string, expected: string[]][] = [
  [
    'a tab as indentation',
    'services:\n\tchat: {}\n',
    ['2:1 : not valid YAML: Tabs are not allowed as indentation'],
  ],
  ['a quote that does not end', 'services: "x\n', ['2:1 : not valid YAML: Missing closing "quote']],
  [
    'a key that stands twice',
    'services: {}\nservices: {}\n',
    ['2:1 : this key stands twice in the same map'],
  ],
  [
    'a second document',
    'services: {}\n---\nservices: {}\n',
    ['2:1 : a second document begins here; sluice.yaml is one document'],
  ],
  ['a tag that is not known', 'services: !js x\n', ['1:11 : not valid YAML: Unresolved tag: !js']],
  ['an anchor that is not there', 'services: *nope\n', ['1:11 : there is no anchor &nope']],
  [
    'an alias inside its own anchor',
    'services: &a\n  chat: *a\n',
    ['2:9 : *a stands inside the thing that it repeats'],
  ],
  ['a key that is a list', '? [a]\n: 1\n', ['1:3 : a key must be plain text']],
  [
    'a key that would reach into objects',
    '__proto__: { polluted: yes }\n',
    ['1:1 : a key must be plain text'],
  ],
];

describe('as YAML is refused', () => {
  test.each(broken)('%s', (_, text, expected) => {
    expect(problemsOf(() => parse(text)).map(short)).toEqual(expected);
  });

  test('a bomb of anchors', () => {
    const levels = Array.from({ length: 12 }, (_, at) =>
      at === 0 ? 'l0: &l0 [x, x]' : `l${at}: &l${at} [${`*l${at - 1}, `.repeat(9)}]`,
    );
    expect(problemsOf(() => parse(`${levels.join('\n')}\n`)).map(short)).toEqual([
      '1:1 : more than 100 uses of anchors',
    ]);
  });

  test('a depth that no config has', () => {
    const [first] = problemsOf(() => parse('['.repeat(20_000)));
    expect(first?.message).toBe('nested too deeply');
  });
});

describe('a place is that of', () => {
  const text =
    'services:\n  chat: &base\n    env: { A: "1" }\n    list:\n      - x\n      - y: 2\n  mail: *base\n';
  const parsed = parseSource('f', text);
  const cases: [path: (string | number)[], part: 'key' | 'value', place: string][] = [
    [['services'], 'value', '1:1'],
    [['services', 'chat', 'env', 'A'], 'key', '3:12'],
    [['services', 'chat', 'env', 'A'], 'value', '3:15'],
    [['services', 'chat', 'list', 1, 'y'], 'value', '6:12'],
    [['services', 'chat', 'list', 9], 'value', '4:5'],
    [['services', 'chat', 'absent', 'deeper'], 'value', '2:3'],
    [['services', 'mail', 'env', 'A'], 'value', '3:15'],
    [[], 'value', '1:1'],
  ];
  test.each(cases)('%j as %s', (path, part, place) => {
    if (!('source' in parsed)) throw new Error('the text does not parse');
    const { line, column } = parsed.source.locate(path, part);
    expect(`${line}:${column}`).toBe(place);
  });
});
