import { errorMessage } from '../errors.ts';
import { createRedactor } from '../redact.ts';
import type { Secret } from '../secret.ts';
import { type DurableEvent, isDurable, type ReleaseEvent, type Stage, type Stamped } from './events.ts';
import { fold, foldAll, type ReleaseState } from './state.ts';

type Recorder = { append(events: Stamped<DurableEvent>[]): Promise<void> };

/** The one place where events are made: stamped, redacted, folded, shown, and recorded when they are durable. */
export type Journal = {
  readonly release: string;
  readonly state: ReleaseState;
  emit(event: ReleaseEvent): void;
  /** From now on this value is in no event, by whatever road it comes. */
  protect(secret: Secret): void;
  /** Resolves when everything emitted so far is in the ledger: awaited before every write to the cloud. */
  flush(): Promise<void>;
  /** Runs one stage of one service between its two events; the note of its result tells what it came to. */
  stage<T>(service: string, stage: Stage, run: () => Promise<StageResult<T>>): Promise<T>;
};

export type StageResult<T> = { value: T; note: string; outcome?: 'done' | 'skipped' };

export type JournalOptions = {
  release: string;
  recorder: Recorder;
  now: () => number;
  listeners: readonly ((event: Stamped) => void)[];
  secrets: Iterable<string>;
  /** What was recorded of the release before, when it is gone on with. */
  past?: readonly Stamped<DurableEvent>[];
};

export function createJournal(options: JournalOptions): Journal {
  const { past = [] } = options;
  const state = foldAll(options.release, past);
  const secrets = new Set(options.secrets);
  let redact = createRedactor(secrets);
  let seq = (past.at(-1)?.seq ?? -1) + 1;
  let unwritten: Stamped<DurableEvent>[] = [];
  let writing: Promise<void> = Promise.resolve();

  const emit = (event: ReleaseEvent): void => {
    const clean = redact(event);
    const stamp = {
      v: 1 as const,
      release: options.release,
      seq: seq++,
      at: new Date(options.now()).toISOString(),
    };
    const stamped: Stamped = { ...stamp, event: clean };
    fold(state, stamped);
    if (isDurable(clean)) unwritten.push({ ...stamp, event: clean });
    for (const listener of options.listeners) listener(stamped);
    // What a stage came to is not lost with the process. A failure reaches whoever waits for the next flush.
    if (clean.type === 'stage.finished') flush().catch(() => undefined);
  };

  const protect = (secret: Secret): void => {
    secrets.add(secret.reveal());
    redact = createRedactor(secrets);
  };

  const flush = (): Promise<void> => {
    // Chained, so that segments are written in order and a failure reaches everyone who waits.
    writing = writing.then(async () => {
      if (unwritten.length === 0) return;
      const batch = unwritten;
      unwritten = [];
      await options.recorder.append(batch);
    });
    return writing;
  };

  const stage = async <T>(service: string, name: Stage, run: () => Promise<StageResult<T>>): Promise<T> => {
    const began = performance.now();
    const finish = (outcome: 'done' | 'skipped' | 'failed', note: string): void =>
      emit({
        type: 'stage.finished',
        service,
        stage: name,
        outcome,
        note,
        seconds: (performance.now() - began) / 1000,
      });
    emit({ type: 'stage.started', service, stage: name });
    try {
      const result = await run();
      finish(result.outcome ?? 'done', result.note);
      return result.value;
    } catch (error) {
      finish('failed', firstLine(error));
      throw error;
    }
  };

  return { release: options.release, state, emit, protect, flush, stage };
}

function firstLine(error: unknown): string {
  const text = errorMessage(error);
  return (text.split('\n', 1)[0] ?? '').slice(0, 300);
}
