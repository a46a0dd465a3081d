import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Junit, readJunit, UnreadableReport } from '../../src/checks/junit.ts';
import { createRedactor } from '../../src/redact.ts';
import { folderWith } from './programs.ts';

const { signal } = new AbortController();

async function read(xml: string | Uint8Array, secrets: string[] = []): Promise<Junit> {
  const path = join(folderWith(), 'report.xml');
  writeFileSync(path, xml);
  return readJunit(path, createRedactor(secrets), signal);
}

const whyNot = (xml: string) =>
  read(xml).then(
    () => 'it was read',
    (error: unknown) => (error instanceof UnreadableReport ? error.message : `another error: ${error}`),
  );

describe('the reports of test runners', () => {
  test('pytest: class and name, a failure, an error in the teardown reported as a second case, a skip', async () => {
    const { cases, lies } = await read(`<?xml version="1.0" encoding="utf-8"?>
      <testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="3.2" hostname="ci">
        <testcase classname="tests.test_ws" name="test_connects" time="0.310" />
        <testcase classname="tests.test_ws" name="test_message" time="1.2"><failure message="ConnectionClosedError: received 1011 (internal error)">Traceback …</failure></testcase>
        <testcase classname="tests.test_ws" name="test_message" time="0.001"><error message="failed on teardown">…</error></testcase>
        <testcase classname="tests.test_ws" name="test_later" time="0.000"><skipped type="pytest.skip" message="no agent yet">x</skipped></testcase>
        <testcase classname="" name="" time=""/>
      </testsuite></testsuites>`);
    expect(lies).toEqual([]);
    expect(cases).toEqual([
      { name: 'tests.test_ws › test_connects', status: 'passed', seconds: 0.31, message: '' },
      {
        ...{ name: 'tests.test_ws › test_message', status: 'failed', seconds: 1.2 },
        message: 'ConnectionClosedError: received 1011 (internal error)',
      },
      {
        name: 'tests.test_ws › test_message',
        status: 'failed',
        seconds: 0.001,
        message: 'failed on teardown',
      },
      { name: 'tests.test_ws › test_later', status: 'skipped', seconds: 0, message: 'no agent yet' },
      { name: '(no name)', status: 'passed', seconds: null, message: '' },
    ]);
  });

  test('Node: nested suites, whose headers count their children', async () => {
    const { cases, lies } = await read(`<?xml version="1.0" encoding="utf-8"?>
      <testsuites>
        <testsuite name="chat" time="0.01" disabled="0" errors="0" tests="2" failures="1" skipped="0" hostname="x">
          <testsuite name="inner" time="0.01" disabled="0" errors="0" tests="2" failures="1" skipped="0" hostname="x">
            <testcase name="a" time="0.001" classname="test"/>
            <testcase name="b" time="0.001" classname="test" failure="no"><failure type="testCodeFailure" message="no">x</failure></testcase>
          </testsuite>
          <testcase name="c" time="0.001" classname="test"/>
        </testsuite>
        <!-- tests 3 -->
      </testsuites>`);
    expect({ lies, failed: cases.filter(({ status }) => status === 'failed').length }).toEqual({
      lies: [],
      failed: 1,
    });
  });

  test('others: a message in the text, thousands with a comma, a case that did not run', async () => {
    const { cases } = await read(`<testsuite tests="3" failures="1">
        <testcase name="slow" time="1,234.5"><failure>
          <![CDATA[Expected 1 to be 2]]></failure></testcase>
        <testcase name="off" status="notrun"/><testcase name="odd" time="NaN"/>
      </testsuite>`);
    expect(cases).toEqual([
      { name: 'slow', status: 'failed', seconds: 1234.5, message: 'Expected 1 to be 2' },
      { name: 'off', status: 'skipped', seconds: null, message: '' },
      { name: 'odd', status: 'passed', seconds: null, message: '' },
    ]);
  });
});

test('secrets and escapes do not come out of a report', async () => {
  const { cases } = await read(
    `<testsuite><testcase name="a top-secret test"><failure message="${'x'.repeat(295)}top-secret &#x202e;"/></testcase></testsuite>`,
    ['top-secret'],
  );
  expect(JSON.stringify(cases)).not.toMatch(/top-s|\u202e/);
});

const lying: [what: string, xml: string, lie: RegExp][] = [
  [
    'more tests than there are',
    '<testsuites tests="120"><testsuite><testcase name="a"/></testsuite></testsuites>',
    /tells 120 tests, and 1 are in it/,
  ],
  [
    'fewer tests than there are',
    '<testsuite name="s" tests="1"><testcase name="a"/><testcase name="b"/></testsuite>',
    /of "s" tells 1 tests, and 2 are in it/,
  ],
  [
    'no failure where there is one',
    '<testsuite tests="1" failures="0"><testcase name="a"><failure/></testcase></testsuite>',
    /tells 0 failures, and 1 tests failed/,
  ],
  [
    'failures where there are none',
    '<testsuite tests="1" failures="2" errors="1"><testcase name="a"/></testsuite>',
    /tells 3 failures, and 0 tests failed/,
  ],
];

test.each(lying)('a header that tells %s is a lie', async (_, xml, lie) => {
  const { lies } = await read(xml);
  expect(lies.join()).toMatch(lie);
});

const laughs = `<?xml version="1.0"?><!DOCTYPE testsuites [<!ENTITY a "ha">${Array.from(
  { length: 30 },
  (_, n) => `<!ENTITY a${n} "${`&a${n - 1 < 0 ? '' : n - 1};`.repeat(10)}">`,
).join('')}]><testsuites><testcase name="&a29;"/></testsuites>`;

const unreadable: [what: string, xml: string, why: RegExp][] = [
  ['a billion laughs', laughs, /document type/],
  ['an entity of its own', '<testsuite><testcase name="&lol;"/></testsuite>', /entity/],
  ['a report that is cut off', '<testsuites tests="2"><testsuite><testcase name="a"/>', /unclosed tag/],
  ['a tag that is cut off', '<testsuites><testcase nam', /./],
  ['an empty file', '', /empty/],
  ['something else', '<html><body>502 Bad Gateway</body></html>', /its root is <html>/],
  ['no XML', 'Killed', /./],
  ['two roots', '<testsuite/><testsuite/>', /./],
  ['a tower of elements', `<testsuite>${'<a>'.repeat(5000)}`, /nested deeper/],
  [
    'an element of attributes',
    `<testsuite ${Array.from({ length: 3000 }, (_, n) => `a${n}="1"`).join(' ')}/>`,
    /attributes/,
  ],
  ['too many tests', `<testsuite>${'<testcase name="a"/>'.repeat(50_001)}</testsuite>`, /over 50000 tests/],
];

test.each(unreadable)('%s is no report', async (_, xml, why) => {
  expect(await whyNot(xml)).toMatch(why);
});

test('whatever the bytes, a report is read or refused', async () => {
  const whole =
    '<testsuites tests="1"><testsuite name="a&amp;b"><testcase name="x" time="1"><failure><![CDATA[y]]></failure></testcase></testsuite></testsuites>';
  const mangled = fc.tuple(fc.nat(whole.length), fc.nat(whole.length), fc.string({ maxLength: 12 }));
  await fc.assert(
    fc.asyncProperty(mangled, async ([from, to, put]) => {
      const xml = whole.slice(0, Math.min(from, to)) + put + whole.slice(Math.max(from, to));
      expect(await whyNot(xml)).not.toMatch(/^another error/);
    }),
    { numRuns: 150 },
  );
});

test('of a report that is cut anywhere nothing is believed', async () => {
  const whole = '<testsuites><testsuite><testcase name="x"/><testcase name="y"/></testsuite></testsuites>';
  for (let end = 1; end < whole.length; end += 5)
    expect(await whyNot(whole.slice(0, end))).not.toBe('it was read');
});
