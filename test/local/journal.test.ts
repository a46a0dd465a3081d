import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { openCollection } from '../../src/local/journal/collection.ts';
import { openJournal } from '../../src/local/journal/journal.ts';
import { type Change, decodeLines, encodeBatch } from '../../src/local/journal/lines.ts';
import { tempHome } from './harness.ts';

const json = fc.option(fc.constantFrom('{}', '"é"', '[1,"\\t"]'), { nil: undefined });
const change: fc.Arbitrary<Change> = fc.record({
  collection: fc.constantFrom('services', 'ports'),
  key: fc.constantFrom('k', 'projects/p/locations/l', 'ü'),
  json,
});
/** What is changed in one turn of the event loop. */
const batch = fc.array(change, { minLength: 1, maxLength: 4 });

function encode(batches: Change[][]): { bytes: Buffer; ends: number[] } {
  const parts: Buffer[] = [];
  const ends = batches.map((changes) => {
    const start = parts.reduce((sum, { length }) => sum + length, 0);
    const { bytes } = encodeBatch(changes, start);
    parts.push(bytes);
    return start + bytes.length;
  });
  return { bytes: Buffer.concat(parts), ends };
}

function decode(bytes: Buffer): Change[] {
  return decodeLines(bytes).lines.map(({ collection, key, json }) => ({
    ...{ collection, key },
    json: json && bytes.toString('utf8', json.offset, json.offset + json.bytes),
  }));
}

test('wherever it is cut, the whole turns before the cut are read', () => {
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 8 }), (batches) => {
      const { bytes, ends } = encode(batches);
      for (let cut = 0; cut <= bytes.length; cut++) {
        const whole = ends.filter((end) => end <= cut).length;
        const { lines, end, damaged } = decodeLines(bytes.subarray(0, cut));
        expect([end, lines.length, damaged]).toEqual([
          ends[whole - 1] ?? 0,
          batches.slice(0, whole).flat().length,
          [],
        ]);
      }
      expect(decode(bytes)).toEqual(batches.flat());
    }),
    { numRuns: 15 },
  );
});

test('a byte that has changed costs the lines that it is in, and they are named', () => {
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 3, maxLength: 8 }),
      fc.nat(),
      fc.nat(255),
      (changes, at, byte) => {
        // Each in a turn of its own; the last stays whole and apart, so that the damage is no tail.
        const { bytes, ends } = encode(changes.map((each) => [each]));
        const place = at % ((ends.at(-2) ?? 2) - 1);
        fc.pre(bytes[place] !== byte);
        bytes[place] = byte;
        const hit = ends.findIndex((end) => place < end);
        // A line end that is gone joins two lines.
        const lost = place === (ends[hit] ?? 0) - 1 ? 2 : 1;
        expect(decode(bytes)).toEqual(changes.toSpliced(hit, lost));
        const start = hit === 0 ? 0 : (ends[hit - 1] ?? 0);
        const { damaged } = decodeLines(bytes);
        expect(damaged[0]?.offset).toBe(start);
        expect(damaged.reduce((sum, { bytes }) => sum + bytes, start)).toBe(ends[hit + lost - 1]);
      },
    ),
  );
});

const schema = z.object({ key: z.string(), n: z.int(), filler: z.string() });

function open(home = tempHome(), compactAt = 1000) {
  mkdirSync(home, { recursive: true });
  const said: string[] = [];
  const journal = openJournal({ home, compactAt, warn: (line) => said.push(line) });
  onTestFinished(() => journal.stop());
  const records = openCollection({ journal, name: 'records', schema, keyOf: ({ key }) => key });
  const contents = () => [...records.values()].map(({ key, n }) => [key, n]);
  return { home, journal, records, contents, said };
}

test('it stays small, and says all it knows after every compaction and every restart', async () => {
  let now = open();
  const expected = new Map<string, number>();
  for (let n = 0; n < 300; n++) {
    const key = `k${(n * 7) % 11}`;
    if (n % 5 === 0) {
      expected.delete(key);
      await now.records.delete(key);
    } else {
      expected.set(key, n);
      await now.records.put({ key, n, filler: 'é'.repeat(n % 50) });
    }
    if (n % 40 !== 0) continue;
    await now.journal.stop();
    now = open(now.home);
    expect(now.contents()).toEqual([...expected]);
  }
  await now.journal.stop();
  // At most what it holds, as much of what is outdated, and one compaction's allowance.
  expect(statSync(now.journal.file).size).toBeLessThan(2 * 11 * 150 + 1000);
  expect(now.said).toEqual([]);
});

test('a key that no line can hold is refused alone', async () => {
  const { journal, records, contents, home } = open();
  const put = (key: string, n: number) => records.put({ key, n, filler: '' });
  const undone: string[] = [];
  const bad = records.put({ key: 'b\tc', n: 2, filler: '' }, () => undone.push('b'));
  const [a, b, c] = await Promise.allSettled([put('a', 1), bad, put('a', 3)]);
  expect([a, b, c]).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 3 } },
    { status: 'fulfilled' },
  ]);
  expect([undone, contents()]).toEqual([['b'], [['a', 3]]]);
  await expect(put('d\n', 4)).rejects.toMatchObject({ code: 3 });
  await journal.stop();
  await expect(put('a', 5)).rejects.toMatchObject({ code: 14 });
  expect(contents()).toEqual([['a', 3]]);
  expect(open(home).contents()).toEqual([['a', 3]]);
});

test('a half-written tail is dropped with a word, and what comes next is not lost after it', async () => {
  const first = open();
  await first.records.put({ key: 'a', n: 1, filler: '' });
  await first.journal.stop();
  const { size } = statSync(first.journal.file);
  appendFileSync(first.journal.file, '0badc0de\t.\trecords\tb\t{"ke');

  const second = open(first.home);
  expect(second.contents()).toEqual([['a', 1]]);
  expect(second.said).toEqual([expect.stringContaining(`${first.journal.file}: dropped its last 25 bytes`)]);
  expect(statSync(first.journal.file).size).toBe(size);
  await second.records.put({ key: 'c', n: 3, filler: '' });
  await second.journal.stop();
  expect(open(first.home)).toMatchObject({ said: [] });
  expect(open(first.home).contents()).toEqual([
    ['a', 1],
    ['c', 3],
  ]);
});

test('a damaged line costs its own record, is told of once, and the file is kept for whoever looks into it', async () => {
  const first = open();
  for (const [n, key] of ['a', 'b', 'c'].entries()) await first.records.put({ key, n, filler: '' });
  await first.journal.stop();
  const damaged = readFileSync(first.journal.file, 'utf8').replace('"key":"b"', '"key":"B"');
  writeFileSync(first.journal.file, damaged);

  const second = open(first.home);
  expect(second.contents()).toEqual([
    ['a', 0],
    ['c', 2],
  ]);
  expect(second.said).toEqual([
    expect.stringMatching(/cannot read \d+ bytes at byte \d+\. The rest is used/),
  ]);
  expect(readFileSync(`${first.journal.file}.damaged`, 'utf8')).toBe(damaged);
  await second.records.put({ key: 'a', n: 9, filler: '' });
  await second.journal.stop();
  const third = open(first.home);
  expect(third.said).toEqual([]);
  expect(third.contents()).toEqual([
    ['a', 9],
    ['c', 2],
  ]);
});

test('nothing that was acknowledged is lost when the writer is killed', async () => {
  const home = tempHome();
  mkdirSync(home);
  const writer = fileURLToPath(new URL('journal-writer.ts', import.meta.url));
  const acknowledged = new Map<string, number>();
  for (let round = 0; round < 3; round++) {
    const first = Math.max(-1, ...acknowledged.values()) + 1;
    const child = spawn(process.execPath, [writer, home, String(first)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const wanted = 2000 + Math.random() * 4000;
    let said = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      said += chunk;
      if (said.length > wanted) child.kill('SIGKILL');
    }
    // What follows the last line end was cut off by the kill.
    for (const line of said.split('\n').slice(0, -1)) {
      const [key = '', n] = line.split(' ');
      acknowledged.set(key, Number(n));
    }
    const { journal, records } = open(home);
    for (const [key, n] of acknowledged) expect(records.get(key)?.n).toBeGreaterThanOrEqual(n);
    await journal.stop();
    expect(existsSync(`${journal.file}.damaged`)).toBe(false);
  }
  expect(acknowledged.size).toBe(20);
});
