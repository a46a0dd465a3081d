import { describe, expect, test } from 'vitest';
import { recordedEventSchema } from '../../src/release/event-schema.ts';
import type { DurableEvent, Stamped } from '../../src/release/events.ts';
import { createJournal } from '../../src/release/journal.ts';
import { createMailbox } from '../../src/release/mailbox.ts';
import { foldAll } from '../../src/release/state.ts';
import { Secret } from '../../src/secret.ts';

function journalInto(segments: Stamped<DurableEvent>[][], secrets: string[] = []) {
  const shown: Stamped[] = [];
  const journal = createJournal({
    release: '20260101T0000-staging-abcd',
    recorder: { append: async (events) => void segments.push([...events]) },
    now: () => 1_700_000_000_000,
    listeners: [(event) => shown.push(event)],
    secrets,
  });
  return { journal, shown };
}

describe('the journal', () => {
  test('shows everything, records only what is durable, in order, and only once', async () => {
    const segments: Stamped<DurableEvent>[][] = [];
    const { journal, shown } = journalInto(segments);
    journal.emit({ type: 'stage.started', service: 'chat', stage: 'build' });
    journal.emit({ type: 'build.log', service: 'chat', line: 'npm ci' });
    await journal.flush();
    await journal.flush();
    journal.emit({ type: 'build.started', service: 'chat', build: 'b1', logUrl: '' });
    await journal.flush();
    expect(shown.map(({ seq }) => seq)).toEqual([0, 1, 2]);
    expect(segments.map((events) => events.map(({ event }) => event.type))).toEqual([
      ['stage.started'],
      ['build.started'],
    ]);
  });

  test('what it records can be read back and folds to the same state', async () => {
    const segments: Stamped<DurableEvent>[][] = [];
    const { journal } = journalInto(segments);
    await journal.stage('chat', 'observe', async () => ({ value: 1, note: 'nothing there' }));
    await expect(
      journal.stage('chat', 'build', () => Promise.reject(new Error('no\nstack'))),
    ).rejects.toThrow();
    await journal.flush();
    const lines = segments.flat().map((event) => JSON.stringify(event));
    const read = lines.map((line) => recordedEventSchema.parse(JSON.parse(line)));
    const folded = foldAll(journal.release, read);
    expect(folded.services).toEqual(journal.state.services);
    expect(folded.services.get('chat')?.stages).toMatchObject({
      observe: { outcome: 'done', note: 'nothing there' },
      build: { outcome: 'failed', note: 'no' },
    });
  });

  test('a secret that is learnt later is in no event from then on', () => {
    const { journal, shown } = journalInto([]);
    journal.protect(new Secret('token-of-a-check'));
    journal.emit({
      type: 'startup.log',
      service: 'chat',
      revision: 'r1',
      severity: 'INFO',
      line: 'bad token-of-a-check',
    });
    expect(shown.map(({ event }) => event)).toMatchObject([{ line: 'bad [redacted]' }]);
  });

  test('a known secret never gets into an event, wherever it stands', async () => {
    const segments: Stamped<DurableEvent>[][] = [];
    const { journal, shown } = journalInto(segments, ['staging_e2e_key_2024', 'short']);
    journal.emit({ type: 'notice', service: null, note: 'key=staging_e2e_key_2024; a short word stays' });
    journal.emit({
      type: 'preflight.failed',
      service: 'chat',
      problems: [{ what: 'x', next: ['curl -H staging_e2e_key_2024'] }],
    });
    await journal.flush();
    expect(JSON.stringify([shown, segments])).not.toContain('staging_e2e_key');
    expect(JSON.stringify(shown)).toContain('a short word stays');
  });

  test('a record that cannot be written stops everyone who waits for it', async () => {
    const journal = createJournal({
      release: 'r',
      recorder: { append: () => Promise.reject(new Error('disk full')) },
      now: Date.now,
      listeners: [],
      secrets: [],
    });
    journal.emit({ type: 'stage.started', service: 'chat', stage: 'build' });
    await expect(journal.flush()).rejects.toThrow('disk full');
    await expect(journal.flush()).rejects.toThrow('disk full');
  });
});

describe('an open intent', () => {
  const stamp = { v: 1 as const, release: 'r', at: '2026-01-01T00:00:00Z' };
  const intended: DurableEvent = {
    type: 'traffic.intended',
    service: 'chat',
    purpose: 'migrate',
    traffic: [{ revision: 'chat-2', percent: 100 }],
    serviceWide: [],
    etag: '1',
  };
  const observed: DurableEvent = {
    type: 'traffic.observed',
    service: 'chat',
    purpose: 'migrate',
    actual: [],
    settled: true,
    etag: '2',
  };

  test('stands until the effect has been observed', () => {
    const open = foldAll('r', [{ ...stamp, seq: 0, event: intended }]);
    expect(open.services.get('chat')?.openIntent).toEqual(intended);
    const closed = foldAll('r', [
      { ...stamp, seq: 0, event: intended },
      { ...stamp, seq: 1, event: observed },
    ]);
    expect(closed.services.get('chat')).toMatchObject({ openIntent: null, etag: '2', trafficSettled: true });
  });
});

describe('the mailbox', () => {
  test('gives what arrives in order, and undefined when the time is up', async () => {
    const mailbox = createMailbox<number>(new AbortController().signal);
    const waiting = mailbox.take(10_000);
    mailbox.put(1);
    mailbox.put(2);
    expect([await waiting, await mailbox.take(10_000), await mailbox.take(1)]).toEqual([1, 2, undefined]);
  });

  test('an abort wakes the reader', async () => {
    const stop = new AbortController();
    const waiting = createMailbox<number>(stop.signal).take(60_000);
    stop.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
  });
});
