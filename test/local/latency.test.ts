import { expect, test } from 'vitest';
import type { NewLogEntry } from '../../src/local/contracts.ts';
import { Latency, slowSink } from '../../src/local/latency/index.ts';
import { drawMs, noLatency } from '../../src/local/latency/profile.ts';

test('a time is drawn from its range, scaled; without a profile nothing takes time', () => {
  const times = Array.from({ length: 200 }, () => drawMs({ profile: 'cloud', factor: 0.5 }, 'read'));
  expect(Math.min(...times)).toBeGreaterThanOrEqual(25);
  expect(Math.max(...times)).toBeLessThanOrEqual(75);
  expect(new Set(times).size).toBeGreaterThan(100);
  expect(drawMs(noLatency, 'revision')).toBe(0);
});

test('late entries keep their order and their time, and none is lost at a stop', async () => {
  const stored: NewLogEntry[] = [];
  const latency = new Latency({ profile: 'cloud', factor: 0.001 });
  const sink = slowSink({ write: (entry) => stored.push(entry) }, latency);
  const entry = (textPayload: string) => ({
    logName: 'l',
    resource: { type: 'global', labels: {} },
    textPayload,
  });
  sink.write(entry('one'));
  const before = Date.now();
  expect(stored).toEqual([]);
  await expect.poll(() => stored.length).toBe(1);
  expect(stored[0]?.timestamp?.getTime()).toBeLessThanOrEqual(before);
  latency.setting = { profile: 'cloud', factor: 10 };
  sink.write(entry('two'));
  latency.setting = noLatency;
  sink.write(entry('three'));
  expect(stored).toHaveLength(1);
  sink.stop();
  expect(stored.map(({ textPayload }) => textPayload)).toEqual(['one', 'two', 'three']);
});
