import type { ErrorShape, MessageSpec } from '../config/check-spec.ts';
import { lookUp } from './json-path.ts';
import { type Clean, type Component, componentsOf } from './websocket-components.ts';
import { type Heard, scoreEvents } from './websocket-events.ts';

/** How a service's messages are read. */
export type Reading = {
  eventField: string;
  errors: ErrorShape;
  clean: Clean;
};

/** After a frame: wait for more, listen a little longer, all is heard, or far too much came. */
export type Heed = 'more' | 'soon' | 'enough' | 'flood';

export type Told = {
  heard: Heard[];
  /** The health of components, as errors tell it. */
  components: Component[];
  /** The first error that the message was not meant to bring. */
  error: Component | null;
};

export type Transcript = {
  readonly told: Told;
  hear(frame: Buffer, binary: boolean, ms: number): Heed;
  /** A frame without content. */
  ping(): Heed;
};

const maxFrames = 1_000;
const maxBytes = 8 * 1024 * 1024;

/** What the service says to one message, and when that is all. Without a message whatever comes is only noted. */
export function createTranscript(message: MessageSpec | null, reading: Reading): Transcript {
  const told: Told = { heard: [], components: [], error: null };
  let frames = 0;
  let bytes = 0;

  const isFlood = (size: number): boolean => {
    frames += 1;
    bytes += size;
    return frames > maxFrames || bytes > maxBytes;
  };

  return {
    told,
    ping: () => (isFlood(0) ? 'flood' : 'more'),
    hear(frame, binary, ms) {
      if (isFlood(frame.length)) return 'flood';
      const { name, document } = read(frame, binary, reading);
      told.heard.push({ name, ms });
      if (name === reading.errors.event) {
        const components = componentsOf(document, reading.errors, reading.clean);
        told.components.push(...components);
        if (!message?.events.includes(name)) told.error ??= components[0] ?? null;
      }
      // Bad news ends the wait, but what else comes with it is worth hearing.
      return told.error ? 'soon' : heed(message, told.heard);
    },
  };
}

function heed(message: MessageSpec | null, heard: readonly Heard[]): Heed {
  if (!message || message.events.length === 0) return 'more';
  const { missing } = scoreEvents(message.events, heard);
  // After the last event the others are late, or will not come.
  if (missing.length > 0) return heard.at(-1)?.name === message.events.at(-1) ? 'soon' : 'more';
  if (message.close) return 'more';
  return message.others ? 'enough' : 'soon';
}

function read(frame: Buffer, binary: boolean, { eventField, clean }: Reading) {
  const document = parsed(frame.toString('utf8'));
  if (document === undefined) return { name: binary ? '(binary)' : '(no JSON)', document };
  const found = lookUp(document, eventField);
  const value = found.found ? found.value : undefined;
  const named = typeof value === 'string' || typeof value === 'number';
  return { name: named ? clean(String(value), 80) : `(no ${eventField})`, document };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
