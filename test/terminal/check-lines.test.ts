import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../src/checks/result.ts';
import type { ReleaseEvent } from '../../src/release/events.ts';
import { foldAll } from '../../src/release/state.ts';
import { releaseDocument, releaseDocumentSchema } from '../../src/report/json.ts';
import { summaryLines } from '../../src/report/summary.ts';
import { checkDetails } from '../../src/terminal/check-lines.ts';
import { createPlainView } from '../../src/terminal/plain.ts';
import { stageOutput } from '../../src/terminal/rows.ts';
import { colourTheme, plainTheme } from '../../src/terminal/theme.ts';
import { finished, stamp, started } from './fixtures/events.ts';

type Row = NonNullable<CheckResult['messages']>[number];

const passed = (ms: number | null) => ({ status: 'passed' as const, ms, detail: '' });
const failed = (detail: string) => ({ status: 'failed' as const, ms: null, detail });
const silent = (detail: string) => ({ status: 'not-reached' as const, ms: null, detail });
const five = ['agent_started', 'agent_completed'];

const row = (type: string, more: Partial<Row>): Row => ({
  type,
  connection: passed(312),
  auth: passed(null),
  processing: failed('nothing came'),
  response: silent('no response'),
  seen: [],
  missing: five,
  unexpected: [],
  ...more,
});

const broken: CheckResult = {
  ...{ id: 'chat-ws', kind: 'websocket', stage: 'candidate', required: true, durationMs: 5012 },
  status: 'failed',
  reason: '/ws: processing failed',
  messages: [
    row('user_message', {
      processing: failed('1005 Database'),
      response: silent('error'),
      unexpected: ['error'],
    }),
    row('start_agent', {}),
  ],
  components: [
    { code: '1005', component: 'Database', message: 'cannot import', status: 'failed', details: '' },
    { code: '', component: 'redis', message: '', status: 'degraded', details: 'no app state' },
    { code: '', component: 'queue', message: '', status: 'sleepy', details: '' },
  ],
};

const told = [
  '  type          connection  auth  processing       response',
  '  user_message  ✔ 312 ms    ✔     ✖ 1005 Database  – error',
  '  start_agent   ✔ 312 ms    ✔     ✖ nothing came   – no response',
  '  missing: agent_started, agent_completed',
  '  also came: error',
  '  component   status    code  message',
  '  ✖ Database  failed    1005  cannot import',
  '  ! redis     degraded        no app state',
  '  ? queue     sleepy',
];

const finishedCheck: ReleaseEvent = { type: 'check.finished', service: 'chat', result: broken };
const events: ReleaseEvent[] = [
  started('chat'),
  finishedCheck,
  {
    type: 'service.finished',
    service: 'chat',
    outcome: 'failed',
    reason: 'checklist',
    rolledBack: true,
    diagnosis: null,
  },
  finished('failed', 13),
];
const state = () => foldAll('rel-1', stamp(events));

describe('a websocket check that failed', () => {
  test('shows its matrix, what is missing, and the components', () => {
    expect(checkDetails(broken, plainTheme)).toEqual(told);
  });

  test('keeps its columns in colour', () => {
    expect(checkDetails(broken, colourTheme).map(stripVTControlCharacters)).toEqual(told);
  });

  test('names per message what is missing where that differs', () => {
    const messages = [row('a', { missing: ['x'] }), row('b', { missing: ['y', 'z'] })];
    const lines = checkDetails({ ...broken, messages, components: [] }, plainTheme);
    expect(lines.slice(3)).toEqual(['  missing of a: x', '  missing of b: y, z']);
  });

  test('bounds and sanitises what the service said', () => {
    const messages = Array.from({ length: 40 }, (_, at) =>
      row(`m${at}`, { processing: failed(`\x1b[31m${'long '.repeat(50)}`) }),
    );
    const lines = checkDetails({ ...broken, messages, components: [] }, plainTheme);
    expect(lines.length).toBeLessThan(20);
    expect(lines).toContain('  … and 28 more');
    expect(lines.join('\n')).not.toContain('\x1b');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(120);
  });

  test('is told alike by the plain lines, the task list and the summary', () => {
    const plain = stamp([finishedCheck]).flatMap((one) => createPlainView(plainTheme).lines(one));
    const service = state().services.get('chat');
    const rows = service ? stageOutput('checks', service, '', plainTheme) : [];
    for (const lines of [plain, rows, summaryLines(state(), plainTheme)]) {
      const at = lines.findIndex((line) => line.includes('connection  auth'));
      const margin = (lines[at] ?? '').indexOf('type') - 2;
      expect(lines.slice(at, at + told.length).map((line) => line.slice(margin))).toEqual(told);
    }
  });

  test('is in the document with messages and components', () => {
    const document = releaseDocumentSchema.parse(JSON.parse(JSON.stringify(releaseDocument(state()))));
    expect(document.services[0]?.checks[0]).toMatchObject({
      messages: broken.messages,
      components: broken.components,
    });
  });
});

test('one that passed stays a line', () => {
  expect(checkDetails({ ...broken, status: 'passed' }, plainTheme)).toEqual([]);
});
