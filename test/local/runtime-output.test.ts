import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NewLogEntry } from '../../src/local/contracts.ts';
import { openRuntime } from '../../src/local/runtime/index.ts';
import { floodGate, lineSplitter } from '../../src/local/runtime/lines.ts';
import { parseLine } from '../../src/local/runtime/log-lines.ts';
import { MemoryLog, nodeRevision, noSecrets, temporaryFolder } from './runtime-kit.ts';

function split(chunks: Buffer[], limit?: number): Buffer[] {
  const lines: Buffer[] = [];
  const splitter = lineSplitter((line) => lines.push(Buffer.from(line)), limit);
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

/** The bytes of `whole`, cut at the given places. */
function cut(whole: Buffer, places: number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return at.slice(1).map((end, index) => whole.subarray(at[index], end));
}

describe('lines', () => {
  test('do not depend on how the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat()), (texts, places) => {
        const whole = texts.join('\n');
        const lines = split(cut(Buffer.from(whole), places)).map(String);
        expect(lines).toEqual(whole.split('\n').filter((line) => line !== ''));
      }),
    );
  });

  test('are never longer than the limit, lose no byte and split no character', () => {
    const characters = fc.string({ unit: fc.constantFrom('a', 'é', '€', '𝄞'), minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(characters, fc.array(fc.nat()), fc.integer({ min: 4, max: 20 }), (whole, places, limit) => {
        const pieces = split(cut(Buffer.from(whole), places), limit);
        expect(pieces.every((piece) => piece.length <= limit)).toBe(true);
        expect(pieces.map(String).join('')).toBe(whole);
      }),
    );
  });

  test('of binary junk are bounded as well', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.array(fc.nat()), (bytes, places) => {
        const junk = Buffer.from(bytes);
        const pieces = split(cut(junk, places), 16);
        expect(pieces.every((piece) => piece.length <= 16)).toBe(true);
        expect(Buffer.concat(pieces)).toEqual(junk.filter((byte) => byte !== 0x0a));
      }),
    );
  });
});

test('the flood gate admits the burst, then the rate, and counts the rest', () => {
  let now = 0;
  const limits = { burstLines: 10, linesPerSecond: 2, burstBytes: 1000, bytesPerSecond: 100 };
  const gate = floodGate(() => now, limits);
  const admitted = (lines: number, bytes: number) =>
    Array.from({ length: lines }, () => gate.admit(bytes)).filter(Boolean).length;
  expect(admitted(15, 1)).toBe(10);
  expect(gate.dropped()).toEqual({ lines: 5, bytes: 5 });
  expect(gate.dropped(true)).toBeUndefined();
  now = 1500;
  expect(admitted(5, 10)).toBe(3);
  now = 1600;
  expect(gate.admit(1)).toBe(false);
  expect(gate.dropped()).toEqual({ lines: 3, bytes: 21 });
  expect(gate.admit(1)).toBe(false);
  expect(gate.dropped()).toBeUndefined();
  expect(gate.dropped(true)).toEqual({ lines: 1, bytes: 1 });
});

describe('a printed line', () => {
  const now = new Date('2026-01-02T03:04:05Z');

  test.each<[string, string, Partial<NewLogEntry>]>([
    ['is text', 'INFO: started', { textPayload: 'INFO: started' }],
    ['may only look like JSON', '{not json}', { textPayload: '{not json}' }],
    ['may be JSON but no object', '[1]', { textPayload: '[1]' }],
    [
      'lends its severity',
      '{"severity":"error","message":"no"}',
      { severity: 'ERROR', jsonPayload: { message: 'no' } },
    ],
    [
      'knows WARN',
      '{"severity":"WARN","message":"m"}',
      { severity: 'WARNING', jsonPayload: { message: 'm' } },
    ],
    ['keeps a severity that is none', '{"severity":"LOUD"}', { jsonPayload: { severity: 'LOUD' } }],
    [
      'lends its time',
      '{"time":"2026-01-02T03:00:00.5Z","a":1}',
      { timestamp: new Date('2026-01-02T03:00:00.500Z'), jsonPayload: { a: 1 } },
    ],
    [
      'lends its timestamp',
      '{"timestamp":{"seconds":1767322800,"nanos":500000000}}',
      { timestamp: new Date('2026-01-02T03:00:00.500Z'), jsonPayload: {} },
    ],
    [
      'keeps a timestamp that is text',
      '{"timestamp":"2026-01-02T03:00:00Z"}',
      { jsonPayload: { timestamp: '2026-01-02T03:00:00Z' } },
    ],
    [
      'keeps a time that cannot be',
      '{"time":"1999-01-01T00:00:00Z"}',
      { jsonPayload: { time: '1999-01-01T00:00:00Z' } },
    ],
    [
      'lends trace, span and labels',
      '{"message":"m","logging.googleapis.com/trace":"projects/p/traces/t","logging.googleapis.com/spanId":"s","logging.googleapis.com/labels":{"a":1}}',
      { trace: 'projects/p/traces/t', spanId: 's', labels: { a: '1' }, jsonPayload: { message: 'm' } },
    ],
  ])('%s', (_, line, entry) => {
    expect(parseLine(line, now)).toEqual(entry);
  });

  test('too deep to be written out again stays text', () => {
    const bomb = '{"a":'.repeat(40_000) + 1 + '}'.repeat(40_000);
    expect(parseLine(bomb, now)).toEqual({ textPayload: bomb });
  });

  test('cannot make the entry what it is not', () => {
    const { jsonPayload } = parseLine('{"__proto__":{"severity":"ERROR"}}', now);
    expect(Object.getPrototypeOf(jsonPayload)).toBe(Object.prototype);
  });

  test('never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (line) => parseLine(line, now) !== undefined));
  });
});

describe('the output of an instance', () => {
  /** Everything that a process says until it exits. */
  async function said(code: string): Promise<MemoryLog> {
    const home = temporaryFolder();
    const logs = new MemoryLog();
    const runtime = openRuntime({ home, logs, secrets: noSecrets });
    await runtime.deploy(nodeRevision(home, code));
    await runtime.stop();
    rmSync(home, { recursive: true });
    return logs;
  }

  test('becomes entries of stdout and stderr', async () => {
    const logs = await said(
      `console.error('plain'); console.log(JSON.stringify({ severity: 'NOTICE', message: 'structured' }))`,
    );
    expect(logs.of('stderr')).toMatchObject([
      { textPayload: 'plain', logName: 'projects/demo/logs/run.googleapis.com%2Fstderr' },
    ]);
    expect(logs.of('stderr')[0]).not.toHaveProperty('severity');
    expect(logs.of('stdout')[0]).toMatchObject({
      severity: 'NOTICE',
      jsonPayload: { message: 'structured' },
    });
    expect(logs.of('stdout')[0]?.labels?.['instanceId']).toBe(logs.of('stderr')[0]?.labels?.['instanceId']);
  });

  test('may be junk, half a character or a line without an end', async () => {
    const logs = await said(
      `process.stdout.write(Buffer.from([0xff, 0x00, 0x0a, 0xe2, 0x82, 0x0a])); process.stdout.write('x'.repeat(600 * 1024) + '\\n')`,
    );
    const texts = logs.texts('stdout');
    expect(texts.slice(0, 2)).toEqual(['\ufffd\0', '\ufffd']);
    expect(texts.slice(2).map((line) => line.length)).toEqual([256 * 1024, 256 * 1024, 88 * 1024]);
  });

  test('of 64 MB is counted, not kept', async () => {
    const before = process.memoryUsage.rss();
    const code = `const fs = require('node:fs'); const chunk = ('x'.repeat(99) + '\\n').repeat(10486); for (let i = 0; i < 64; i++) fs.writeSync(1, chunk)`;
    const logs = await said(code);
    const lines = logs.of('stdout').length;
    const dropped = logs
      .texts('varlog/system')
      .map((line) => Number(/^Dropped (\d+) log lines/.exec(line)?.[1] ?? 0))
      .reduce((sum, count) => sum + count, 0);
    expect(lines).toBeLessThan(100_000);
    expect(lines + dropped).toBeGreaterThanOrEqual(64 * 10486);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
  });
});
