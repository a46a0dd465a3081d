import type { Window } from './schema/gate.ts';

/** When nothing is promoted. `days` count from Monday = 0; times of day are minutes since midnight, in the zone. */
export type FreezeWindow = { reason: string; timeZone: string } & (
  | { kind: 'once'; from: string; to: string }
  | { kind: 'weekly'; days: number[]; from: number; to: number }
);

/** What a promotion into an environment demands. */
export type GateSpec = {
  /** The only environment that is promoted from. */
  from?: string;
  maxEvidenceAgeSeconds: number;
  approvals: number;
  selfApproval: boolean;
  freeze: FreezeWindow[];
};

const dayNames = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export function gateOf(gate: {
  from?: string;
  maxEvidenceAge: number;
  approvals: number;
  selfApproval: boolean;
  freeze: Window[];
}): GateSpec {
  const { maxEvidenceAge, freeze, ...rest } = gate;
  return { ...rest, maxEvidenceAgeSeconds: maxEvidenceAge, freeze: freeze.map(windowOf) };
}

function windowOf({ days, from = '', to = '', timeZone, reason }: Window): FreezeWindow {
  if (!days) return { kind: 'once', from, to, timeZone, reason };
  return {
    kind: 'weekly',
    days: days.map((day) => dayNames.indexOf(day)),
    from: minutes(from || '00:00'),
    to: minutes(to || '24:00'),
    timeZone,
    reason,
  };
}

function minutes(clock: string): number {
  const [hours = 0, rest = 0] = clock.split(':').map(Number);
  return hours * 60 + rest;
}
