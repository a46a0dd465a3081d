import type { Condition } from '../state.ts';

export type KnativeCondition = {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime: string;
  severity?: 'Info';
};

/** `HEALTH_CHECK_CONTAINER_ERROR` is `HealthCheckContainerError` here. */
export function toCondition(condition: Condition): KnativeCondition {
  const { type, state, message, reason, revisionReason, since, severity } = condition;
  const status =
    state === 'CONDITION_SUCCEEDED' ? 'True' : state === 'CONDITION_FAILED' ? 'False' : 'Unknown';
  const cause = reason ?? revisionReason;
  return {
    type,
    status,
    ...(cause && { reason: camelCase(cause) }),
    ...(message && { message }),
    lastTransitionTime: since,
    ...(severity && { severity: 'Info' }),
  };
}

function camelCase(reason: string): string {
  return reason
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
}
