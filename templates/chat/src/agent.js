// The agent behind the chat: it thinks, uses a tool, and answers, and tells each step as an event.
import { createHmac } from 'node:crypto';

/** A model that needs no key and no network: it says what it heard, signed. */
export function echoModel(key) {
  return {
    async complete(prompt) {
      const mark = createHmac('sha256', key).update(prompt).digest('hex').slice(0, 6);
      return `You said "${prompt}" (${mark}).`;
    },
  };
}

export class Agent {
  #model;
  #store;
  #redis;

  constructor({ model, store, redis }) {
    this.#model = model;
    this.#store = store;
    this.#redis = redis;
  }

  /** Answers one message with five events, in order. */
  async *handle(message, user) {
    const run = crypto.randomUUID();
    yield { type: 'agent_started', run, user };
    yield { type: 'agent_thinking', run, thought: `What does "${message}" ask for?` };
    yield { type: 'tool_executing', run, tool: 'lookup' };
    const hint = await this.#lookup(message);
    yield { type: 'tool_completed', run, tool: 'lookup', result: hint ?? 'nothing known' };
    const answer = await this.#model.complete(message);
    await this.#store.insert({ id: run, text: message, answer });
    yield { type: 'agent_completed', run, answer };
  }

  async health() {
    const events = [];
    for await (const event of this.handle('health', 'startup')) events.push(event);
    const kept = await this.#store.find(events[0].run);
    return kept ? { ok: true, reason: '' } : { ok: false, reason: 'An answer was not kept' };
  }

  async #lookup(message) {
    const topic = message.toLowerCase().match(/weather|time|news/)?.[0];
    return topic && this.#redis?.get(topic);
  }
}
