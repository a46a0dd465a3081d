import type { Path } from '../document.ts';
import type { Service } from '../schema/service.ts';
import { fault, type Rule } from './rule.ts';

type Message = Extract<Service['checklist'][number], { kind: 'websocket' }>['messages'][number];
type Placed = { message: Message; at: number; all: readonly Message[]; path: Path };

/** Every message of every websocket check. */
function messagesOf(checklist: Service['checklist']): Placed[] {
  return checklist.flatMap((check, index) =>
    check.kind !== 'websocket'
      ? []
      : check.messages.map((message, at, all) => ({
          message,
          at,
          all,
          path: ['checklist', index, 'messages', at],
        })),
  );
}

/** A message that waits for nothing would pass whatever came back. */
export const messagesExpectSomething: Rule = ({ config: { checklist } }) =>
  messagesOf(checklist).flatMap(({ message, path }) =>
    message.events.length > 0 || message.close?.code !== undefined || message.close?.reason !== undefined
      ? []
      : [fault(path, `the message "${message.type}" expects nothing`, { allowed: 'events or close' })],
  );

/** What is measured is the time to the last event. */
export const measuredMessagesHaveEvents: Rule = ({ config: { checklist } }) =>
  messagesOf(checklist).flatMap(({ message, path }) =>
    message.latency === undefined || message.events.length > 0
      ? []
      : [
          fault([...path, 'latency'], 'without events there is nothing to measure', {
            allowed: 'only with events',
          }),
        ],
  );

export const messageTypesDistinct: Rule = ({ config: { checklist } }) =>
  messagesOf(checklist).flatMap(({ message, at, all, path }) =>
    all.findIndex(({ type }) => type === message.type) < at
      ? [fault([...path, 'type'], `two messages are of the type "${message.type}"`)]
      : [],
  );

export const tokenHasOneSource: Rule = ({ config: { checklist } }) =>
  checklist.flatMap((check, index) => {
    const token = check.kind === 'websocket' ? check.auth?.token : undefined;
    if (token === undefined) return [];
    const oneSource = (token.variable === undefined) !== (token.secret === undefined);
    if (oneSource && (token.version === undefined || token.secret !== undefined)) return [];
    return [
      fault(['checklist', index, 'auth', 'token'], 'a token comes from one place', {
        allowed: '{ variable: NAME } or { secret: NAME, version: latest }',
      }),
    ];
  });
