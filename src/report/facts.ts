import type { PlannedTraffic } from '../plan/plan.ts';
import type { ServiceState } from '../release/state.ts';

type Traffic = readonly (PlannedTraffic & { uri?: string | undefined })[];

/** What gets requests, without tags that only name a revision. */
export function serving(traffic: Traffic): { revision: string; percent: number }[] {
  return traffic.filter(({ percent }) => percent > 0).map(({ revision, percent }) => ({ revision, percent }));
}

/** `100 % chat-r1`, or that nothing serves. */
export function trafficText(traffic: Traffic): string {
  const parts = serving(traffic).map(({ revision, percent }) => `${percent} % ${revision}`);
  return parts.length > 0 ? parts.join(', ') : 'no revision serves';
}

export function urlOf(service: ServiceState): string | null {
  return service.candidate?.url || service.observed?.url || null;
}

/** The revision that this release made or looked at, not one that was only planned; without one, the only one that serves. */
export function revisionOf(service: ServiceState): string | null {
  const { candidate, revision, writes, traffic } = service;
  const made = candidate?.revision ?? (writes > 0 ? revision : null);
  const [only, ...others] = serving(traffic);
  return made ?? (others.length === 0 ? (only?.revision ?? null) : null);
}

export function digestOf(service: ServiceState): string | null {
  const { build, candidate, plan, observed } = service;
  const goneBackTo = plan?.action === 'rollback' ? plan.image.reference?.split('@')[1] : undefined;
  const found = candidate?.image ?? observed?.image;
  return build?.digest || goneBackTo || found?.split('@')[1] || null;
}

/** Actual equals desired, and enough answers in a row came from the revisions that serve. */
export function isProven({ proof, traffic, trafficSettled }: ServiceState): boolean {
  if (!proof || !trafficSettled) return false;
  const now = new Set(serving(traffic).map(({ revision }) => revision));
  return (proof.from ?? [proof]).every(({ revision }) => now.has(revision));
}
