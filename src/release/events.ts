import type { DurableEvent, PassingEvent, Stamp } from './event-schema.ts';

export type { DurableEvent, RolloutStep } from './event-schema.ts';

/**
 * A release is this stream of events; all that anybody sees is folded from it. Durable events are the
 * record (ledger); passing ones only move a screen. Everything here is bounded and already redacted.
 */
export const stages = [
  'observe',
  'preflight',
  'predeploy',
  'build',
  'candidate',
  'warm',
  'startup',
  'checks',
  'traffic',
  'checklist',
  'restore',
] as const;

/** `check` and `unpin` move no traffic; they are recorded because a verdict rests on them. */
export const runbooks = ['deploy', 'promote', 'rollback', 'unpin', 'check'] as const;

type Runbook = (typeof runbooks)[number];

const releaseStages = stages.filter((stage) => stage !== 'warm');

/** The stages that a runbook may come to, in their order. */
export const stagesOf: Record<Runbook, readonly Stage[]> = {
  deploy: releaseStages,
  promote: releaseStages,
  rollback: ['observe', 'preflight', 'warm', 'startup', 'checks', 'traffic', 'checklist', 'restore'],
  unpin: ['observe'],
  check: ['observe', 'checks', 'checklist'],
};

export type ReleaseEvent = DurableEvent | PassingEvent;
export type Stage = (typeof stages)[number];
export type Stamped<E = ReleaseEvent> = Stamp & { event: E };

const passingTypes = {
  'build.log': true,
  'startup.log': true,
  progress: true,
  notice: true,
} satisfies Record<PassingEvent['type'], true>;

export function isDurable(event: ReleaseEvent): event is DurableEvent {
  return !Object.hasOwn(passingTypes, event.type);
}
