import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { componentsOf } from '../../src/checks/websocket-components.ts';
import { scoreEvents } from '../../src/checks/websocket-events.ts';
import { websocketCheck } from './websocket-server.ts';

const heard = (...names: string[]) => names.map((name, ms) => ({ name, ms }));
const names = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 });

describe('events', () => {
  test.each([
    [['a', 'b'], ['a', 'b'], { missing: [], others: [], disorder: '' }],
    [['a', 'b'], ['x', 'a', 'x', 'b'], { missing: [], others: ['x'], disorder: '' }],
    [['a', 'b', 'c'], ['c', 'a'], { missing: ['b'], others: [], disorder: 'a came after c' }],
    [['a', 'b', 'a'], ['a', 'b'], { missing: ['a'], others: [], disorder: '' }],
    [['a', 'b', 'a'], ['b', 'a'], { missing: ['a'], others: [], disorder: '' }],
    [['a', 'b'], ['a', 'a', 'b'], { missing: [], others: ['a'], disorder: '' }],
  ])('%j against %j', (expected, came, score) => {
    expect(scoreEvents(expected, heard(...came))).toMatchObject(score);
  });

  test('each expected event is seen or missing, each that came seen or another', () => {
    fc.assert(
      fc.property(names, names, (expected, came) => {
        const { seen, missing, others } = scoreEvents(expected, heard(...came));
        expect([...seen.map(({ name }) => name), ...missing].sort()).toEqual(expected.toSorted());
        expect(new Set([...seen.map(({ name }) => name), ...others])).toEqual(new Set(came));
      }),
    );
  });

  test('what came in order is never out of order, whatever is missing', () => {
    fc.assert(
      fc.property(names, fc.infiniteStream(fc.boolean()), (expected, keep) => {
        const came = expected.filter(() => keep.next().value);
        expect(scoreEvents(expected, heard(...came)).disorder).toBe('');
      }),
    );
  });
});

describe('components', () => {
  const { errors } = websocketCheck();
  const read = (message: unknown, shape = errors) => componentsOf(message, shape, (text) => text);
  const row = (more: object) => ({ code: '', component: '', message: '', status: '', details: '', ...more });

  test.each<[what: string, message: unknown, rows: object[]]>([
    [
      'an error that is the message itself',
      { type: 'error', code: 'E7', message: 'no model' },
      [{ code: 'E7', component: '(not named)', message: 'no model', status: 'failed' }],
    ],
    [
      'an error that is a text',
      { error: 'boom' },
      [{ component: '(not named)', message: 'boom', status: 'failed' }],
    ],
    [
      'a list of components within a list',
      {
        error: {
          component: 'Backend',
          component_details: [
            {
              name: 'db',
              status: 'ok',
              component_details: [{ component: 'replica', status: 'failed', code: 3 }],
            },
            { status: 'lost' },
          ],
        },
      },
      [
        { component: 'Backend', status: 'failed' },
        { component: 'db', status: 'ok' },
        { component: 'replica', status: 'failed', code: '3' },
        { component: '(not named)', status: 'lost' },
      ],
    ],
    [
      'a map of statuses',
      { error: { component: 'x', component_details: { redis: 'degraded', llm: true } } },
      [
        { component: 'x', status: 'failed' },
        { component: 'redis', status: 'degraded' },
        { component: 'llm', status: 'true' },
      ],
    ],
  ])('%s', (_, message, rows) => {
    expect(read(message)).toEqual(rows.map(row));
  });

  test('the shape is a matter of config', () => {
    const shape = {
      ...errors,
      at: 'payload.fault',
      code: 'no',
      component: 'part',
      message: 'text',
      components: 'parts',
    };
    const message = {
      payload: { fault: { no: 9, part: 'Queue', text: 'full', parts: { disk: { no: 2, text: 'ro' } } } },
    };
    expect(read(message, shape)).toEqual([
      row({ code: '9', component: 'Queue', message: 'full', status: 'failed' }),
      row({ code: '2', component: 'disk', message: 'ro' }),
    ]);
  });

  test('whatever the message is, a bounded number of rows comes of it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const rows = read({ error: { component_details: value } });
        expect(rows.length).toBeGreaterThan(0);
        expect(rows.length).toBeLessThanOrEqual(50);
      }),
    );
  });
});
