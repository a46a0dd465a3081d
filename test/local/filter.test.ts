import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StoredEntry } from '../../src/local/logging/entry.ts';
import { compile, compileFilter } from '../../src/local/logging/filter/evaluate.ts';
import { FilterError } from '../../src/local/logging/filter/lexer.ts';
import { type Filter, parseFilter } from '../../src/local/logging/filter/parser.ts';
import { planFilter } from '../../src/local/logging/filter/plan.ts';

const stderr = 'projects/p/logs/run.googleapis.com%2Fstderr';
const entry: StoredEntry = {
  logName: stderr,
  insertId: 'i1',
  timestamp: '2026-03-01T10:00:00.123456789Z',
  receiveTimestamp: '2026-03-01T10:00:01.000000000Z',
  severity: 'ERROR',
  resource: { type: 'cloud_run_revision', labels: { service_name: 'chat', revision_name: 'chat-1' } },
  labels: { 'run.googleapis.com/base': 'x', instanceId: 'abc' },
  jsonPayload: {
    message: 'Boom: CAFÉ "quoted"',
    deep: { count: 5, ok: true },
    list: ['red', 'green'],
    none: null,
  },
  httpRequest: { status: 503, latency: '1.250000000s', requestUrl: 'http://x/ws' },
};

describe('what a filter matches', () => {
  test.each([
    [''],
    ['  -- only a comment'],
    ['resource.type="cloud_run_revision" AND resource.labels.service_name="chat"'],
    ['resource.type=cloud_run_revision\nresource.labels.revision_name=chat-1 -- the second line'],
    [`logName="${stderr}"`],
    ['logName:stderr'],
    ['logName=("a" OR "projects/p/logs/run.googleapis.com%2Fstderr")'],
    ['severity>=ERROR'],
    ['severity>warning AND severity<"CRITICAL"'],
    ['severity=500'],
    ['severity=(INFO OR ERROR)'],
    ['timestamp>="2026-03-01T10:00:00.123456789Z"'],
    ['timestamp>"2026-03-01T10:00:00.123456788Z"'],
    ['timestamp<"2026-03-01T12:00:00.2+01:00"'],
    ['timestamp>="2026-03-01"'],
    ['labels."run.googleapis.com/base"=x'],
    ['jsonPayload.deep.count>4.5'],
    ['jsonPayload.deep.count>-5'],
    ['jsonPayload.deep.ok=true'],
    ['jsonPayload.list=green'],
    ['jsonPayload.list:("red" AND "green")'],
    ['jsonPayload.message:"café"'],
    ['jsonPayload.message:"\\"QUOTED\\""'],
    ['jsonPayload.message=~"^Boom: .* \\"quoted"'],
    ['jsonPayload.message!~"^boom"'],
    ['jsonPayload.deep:*'],
    ['jsonPayload:quoted'],
    ['httpRequest.status>=500'],
    ['http_request.status!=200'],
    ['httpRequest.latency>1.2s'],
    ['httpRequest.latency<"1251ms"'],
    ['boom'],
    ['"revision"'],
    ['NOT missing-word'],
    ['-severity=INFO'],
    ['NOT jsonPayload.missing="x"'],
    ['textPayload!="x"'],
    ['trace=""'],
    ['missing OR boom'],
    ['boom OR missing AND severity=ERROR'],
    ['(boom OR missing) -other'],
    ['log_id("run.googleapis.com/stderr")'],
    ['SEARCH("quoted boom")'],
    ['SEARCH(jsonPayload.message, "café") AND severity=ERROR'],
  ])('%s', (filter) => {
    expect(compileFilter(filter)(entry)).toBe(true);
  });

  test.each([
    ['resource.labels.service_name="cha"'],
    ['severity=INFO'],
    ['severity>ERROR'],
    ['timestamp>"2026-03-01T10:00:00.123456789Z"'],
    ['jsonPayload.missing!="x"'],
    ['jsonPayload.missing:*'],
    ['jsonPayload.deep.count="five"'],
    ['jsonPayload.message=~"boom"'],
    ['trace:*'],
    ['boom AND missing'],
    ['boom missing'],
    ['boom OR missing AND severity=INFO'],
    ['NOT (boom OR missing)'],
    ['- boom'],
    ['log_id("stderr")'],
    ['SEARCH("quo")'],
    ['SEARCH(jsonPayload.list, "boom")'],
  ])('not: %s', (filter) => {
    expect(compileFilter(filter)(entry)).toBe(false);
  });
});

describe('what a filter may not be', () => {
  test.each([
    ['sample(insertId, 0.1)', /function sample\(\) is not supported at position 0/],
    ['severity=ERROR AND ip_in_net(x, "1.2.3.0/8")', /function ip_in_net\(\).*position 19/],
    ['severity=LOUD', /'LOUD' is not a severity at position 0/],
    ['thud="x"', /unknown field 'thud'/],
    ['textPayload.thud="x"', /unknown field 'textPayload.thud'/],
    ['timestamp>"yesterday"', /'yesterday' is not a time/],
    ['httpRequest.status=ok', /'ok' is not a number/],
    ['textPayload=~"a(b"', /RE2/],
    ['textPayload=~"(?=x)"', /RE2/],
    ['textPayload=~abc', /must stand in quotes at position 13/],
    ['SEARCH(boom)', /takes a field, or none, and a string/],
    ['log_id("a", "b")', /log_id\(\) takes one string/],
    ['SEARCH("a"', /unexpected/],
    ['(boom', /'\(' without its '\)' at position 0/],
    ['boom)', /unexpected '\)' at position 4/],
    ['"open', /unterminated string at position 0/],
    ['a AND', /unexpected end/],
    ['OR a', /unexpected 'OR' at position 0/],
    ['=x', /unexpected '=' at position 0/],
    ['a..b="x"', /unexpected '\.' at position 2/],
    ['a, b', /unexpected ',' at position 1/],
  ])('%s', (filter, message) => {
    expect(() => compileFilter(filter)).toThrow(FilterError);
    expect(() => compileFilter(filter)).toThrow(message);
  });

  test.each([
    ['nesting', '('.repeat(200), /nested deeper than 100/],
    ['length', 'x'.repeat(20_001), /limited to 20000/],
  ])('%s is bounded', (_what, filter, message) => {
    expect(() => compileFilter(filter)).toThrow(message);
  });

  test('any text either parses or is a FilterError', () => {
    const piece = fc.constantFrom(
      'a',
      '"',
      "'",
      '(',
      ')',
      '-',
      ' AND ',
      ' OR ',
      ' NOT ',
      '=',
      ':',
      '=~',
      '.',
      '\\',
      '\n',
      '*',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        try {
          parseFilter(pieces.join(''));
          return true;
        } catch (error) {
          return error instanceof FilterError;
        }
      }),
    );
  });
});

/** Small filters over the words a to c and two payload fields. */
const small = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('a', 'b', 'c').map((text): Filter => ({ kind: 'search', text })),
    fc
      .tuple(
        fc.constantFrom('x', 'y z'),
        fc.constantFrom('=', '!=', ':', '=~', '<'),
        fc.constantFrom('a', 'b c', 'ab"'),
      )
      .map(([field, comparator, value]): Filter => compareFilter(field, comparator, value)),
    fc
      .constantFrom('a', 'b c')
      .map((text): Filter => ({ kind: 'words', words: text.split(' '), path: [], at: 0 })),
    fc
      .constantFrom('x', 'y z')
      .map((field): Filter => ({ kind: 'present', path: ['jsonPayload', field], at: 0 })),
    tie('filter').map((part): Filter => ({ kind: 'not', part })),
    fc
      .tuple(
        fc.constantFrom('and' as const, 'or' as const),
        fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
      )
      .map(([kind, parts]): Filter => ({ kind, parts })),
  ),
})).filter;

function compareFilter(field: string, comparator: '=' | '!=' | ':' | '=~' | '<', value: string): Filter {
  return { kind: 'compare', path: ['jsonPayload', field], comparator, value, at: 0 };
}

function print(filter: Filter): string {
  const field = (path: string[]) =>
    path.map((name) => (/^\w+$/.test(name) ? name : JSON.stringify(name))).join('.');
  switch (filter.kind) {
    case 'all':
      return '';
    case 'search':
      return filter.text;
    case 'words':
      return `SEARCH(${JSON.stringify(filter.words.join(' '))})`;
    case 'present':
      return `${field(filter.path)}:*`;
    case 'compare':
      return `${field(filter.path)}${filter.comparator}${JSON.stringify(filter.value)}`;
    case 'not':
      return `NOT ${nested(filter.part)}`;
    case 'and':
    case 'or':
      return filter.parts.map(nested).join(filter.kind === 'and' ? ' AND ' : ' OR ');
  }
}

function nested(filter: Filter): string {
  return filter.kind === 'and' || filter.kind === 'or' ? `(${print(filter)})` : print(filter);
}

/** What Google's documentation says, as directly as it can be put. */
function oracle(filter: Filter, payload: Record<string, string>): boolean {
  const text = 'path' in filter ? payload[filter.path[1] ?? ''] : undefined;
  switch (filter.kind) {
    case 'all':
      return true;
    case 'search':
      return Object.values(payload).some((value) => value.includes(filter.text));
    case 'words':
      return filter.words.every((word) =>
        Object.values(payload).some((value) => value.split(/\W+/).includes(word)),
      );
    case 'present':
      return text !== undefined;
    case 'compare': {
      if (text === undefined) return false;
      if (filter.comparator === '=') return text === filter.value;
      if (filter.comparator === '!=') return text !== filter.value;
      if (filter.comparator === '<') return text < filter.value;
      return text.includes(filter.value);
    }
    case 'not':
      return !oracle(filter.part, payload);
    case 'and':
      return filter.parts.every((part) => oracle(part, payload));
    case 'or':
      return filter.parts.some((part) => oracle(part, payload));
  }
}

const positionless = (filter: Filter) =>
  JSON.parse(JSON.stringify(filter, (key, value) => (key === 'at' ? 0 : value)));

test('what is printed parses to the same filter', () => {
  fc.assert(
    fc.property(small, (filter) => {
      expect(positionless(parseFilter(print(filter)))).toEqual(positionless(filter));
    }),
  );
});

test('the evaluator agrees with the naive reading', () => {
  const payloads = fc.dictionary(fc.constantFrom('x', 'y z'), fc.constantFrom('a', 'b c', 'ab"', 'c a'));
  // Nothing but the payload holds the letters that are searched for.
  const { labels: _labels, httpRequest: _request, ...rest } = entry;
  const bare: StoredEntry = { ...rest, logName: '1', severity: 'INFO', resource: { type: '1', labels: {} } };
  fc.assert(
    fc.property(small, payloads, (filter, payload) => {
      expect(compile(filter)({ ...bare, jsonPayload: payload })).toBe(oracle(filter, payload));
    }),
  );
});

test('what a plan decides by what many entries have in common is what the filter says of each of them', () => {
  const { logName, severity, resource } = entry;
  const facts = [{}, { logName, severity }, { resource }, { logName, severity, resource }];
  const term = fc.constantFrom(
    ...[
      'severity>=ERROR',
      'severity=INFO',
      'logName:stderr',
      'resource.type="x"',
      'log_id("stderr")',
      'chat',
    ],
    ...[
      'resource.labels.service_name=~"^ch"',
      'resource.labels.none:*',
      'textPayload:"x"',
      'Boom',
      'labels:*',
    ],
  );
  const joined = fc.tuple(fc.constantFrom(' AND ', ' OR ', ' AND NOT ', ' OR NOT '), term);
  fc.assert(
    fc.property(term, fc.array(joined, { maxLength: 4 }), (first, rest) => {
      const { decide, matches } = planFilter([first, ...rest.flat()].join(''));
      for (const known of facts) expect([undefined, matches(entry)]).toContain(decide(known));
    }),
  );
  expect(planFilter('severity>=ERROR AND resource.type="x" AND boom').decide({ resource })).toBe(false);
});

test('a plan knows between which times its matches lie', () => {
  const later = 'timestamp>="2026-01-02" AND (chat AND timestamp<"2026-01-03") AND timestamp>"2026-01-01"';
  expect(planFilter(later)).toMatchObject({
    from: '2026-01-02T00:00:00.000000000Z',
    to: '2026-01-03T00:00:00.000000000Z',
  });
  expect(planFilter('timestamp>="2026-01-02" OR chat').from).toBeUndefined();
});
