import type { LiveService, ServiceEdit } from '../cloud/ports/index.ts';
import type { Target } from '../config/target.ts';
import { leftBehind, wishedSettings } from './diff.ts';
import type { Hold } from './hold.ts';
import { candidateTag, marks, type Owned, type ReleaseMark, readMarks, rollbackTag } from './marks.ts';
import type { Change, Plan, PlannedTraffic } from './plan.ts';
import { shareOut } from './split.ts';
import { foreignTags, pinText } from './traffic.ts';

/** The writes of a deploy, a rollback and an unpin, as edits: made here, purely, and carried out by the release. */

/** Makes the revision: a tagged 0 % candidate beside what serves, or, with nothing serving, the whole closed service. */
export function candidateEdit(
  target: Target,
  plan: Plan & { revision: string },
  live: LiveService | undefined,
  made: { release: string; image: string },
): ServiceEdit {
  const { revision, source } = { revision: plan.revision, source: plan.image.source };
  const owns = readMarks(live?.annotations ?? {}).owns;
  const gone = leftBehind(target, owns);
  const { serviceAccount, ...settings } = wishedSettings(target);
  return {
    template: {
      revision,
      set: { ...settings, ...(serviceAccount ? { serviceAccount } : {}), image: made.image },
      env: { set: target.env, remove: gone.env },
      secrets: { set: target.secrets, remove: gone.secrets },
      labels: { set: target.container.labels, remove: gone.labels },
      annotations: {
        [marks.release]: made.release,
        ...(source ? { [marks.source]: source, [marks.built]: made.image } : {}),
        [marks.schema]: plan.schema ? JSON.stringify(plan.schema) : null,
        [marks.owns]: JSON.stringify(ownedBy(target)),
      },
    },
    ...candidateTraffic(plan, live, revision),
    annotations: {
      ...stateMarks(made.release, 'candidate'),
      [marks.candidate]: revision,
      // This write names the revisions that serve, in place of LATEST too: the pin is Sluice's own from here on.
      [marks.pin]: plan.first ? revision : pinText(plan.formerTraffic),
      [marks.formerTraffic]: JSON.stringify(plan.formerTraffic),
      [marks.owns]: JSON.stringify(ownedBy(target)),
    },
  };
}

/**
 * One step of the rollout: so many percent for the revision, the rest for the former ones. With the last step the
 * candidate's tag goes and the service-wide settings come.
 */
export function trafficEdit(
  live: LiveService | undefined,
  plan: Pick<Plan, 'serviceWide' | 'formerTraffic'>,
  to: { release: string; revision: string; percent: number },
): ServiceEdit & { traffic: PlannedTraffic[] } {
  const last = to.percent === 100;
  const weighted = shareOut(last ? [] : plan.formerTraffic, to);
  return {
    traffic: [
      ...weighted,
      ...foreignTags(live).map((tagged) => ({ ...tagged, percent: 0 })),
      ...(last ? [] : [{ revision: to.revision, tag: candidateTag, percent: 0 }]),
    ],
    ...(last ? serviceWideEdit(plan.serviceWide, 'to') : {}),
    annotations: { ...stateMarks(to.release, 'migrating'), [marks.pin]: pinText(weighted) },
  };
}

/**
 * Puts back what served before. A candidate that is ready keeps its tag for a look until the next deploy; on one
 * that is not, the tag would hold up all of the service's routes.
 */
export function restoreEdit(
  live: LiveService | undefined,
  plan: Plan & { revision: string },
  by: { release: string; keepTag: boolean },
): ServiceEdit & { traffic: PlannedTraffic[] } {
  // The tag may have been taken over from somebody: then it goes back to them.
  const taken = plan.formerTraffic.find(({ tag }) => tag !== undefined && tag === plan.tag);
  const kept =
    by.keepTag && plan.tag !== null ? { revision: plan.revision, tag: plan.tag, percent: 0 } : undefined;
  return {
    traffic: [
      ...plan.formerTraffic.filter((entry) => entry.percent > 0),
      ...foreignTags(live, plan.tag).map((tagged) => ({ ...tagged, percent: 0 })),
      ...[taken ?? kept].filter((entry) => entry !== undefined),
    ],
    ...serviceWideEdit(plan.serviceWide, 'from'),
    annotations: {
      ...stateMarks(by.release, 'failed'),
      [marks.pin]: pinText(plan.formerTraffic),
      ...(plan.action === 'rollback' ? holdMark(plan.hold) : {}),
    },
  };
}

/** With nothing to go back to, the service stays closed and says that its release failed. */
export function closedEdit(plan: Plan, release: string): ServiceEdit {
  return { ...serviceWideEdit(plan.serviceWide, 'from'), annotations: stateMarks(release, 'failed') };
}

/** `revision` null: what serves has no passed verdict. */
export function verifiedEdit(release: string, revision: string | null): ServiceEdit {
  return { annotations: { ...stateMarks(release, 'verified'), [marks.verified]: revision } };
}

/** Gives a revision that exists a URL of its own, so that it can be woken and looked at: no traffic moves. */
export function warmEdit(
  live: LiveService | undefined,
  plan: Plan & { revision: string },
  release: string,
): ServiceEdit & { traffic: PlannedTraffic[] } {
  return {
    traffic: [
      ...plan.formerTraffic.filter((entry) => entry.percent > 0),
      ...foreignTags(live, rollbackTag).map((tagged) => ({ ...tagged, percent: 0 })),
      { revision: plan.revision, tag: rollbackTag, percent: 0 },
    ],
    annotations: {
      ...stateMarks(release, 'candidate'),
      [marks.warmed]: plan.revision,
      [marks.pin]: pinText(plan.formerTraffic),
      [marks.formerTraffic]: null,
    },
  };
}

/**
 * All the traffic back to a revision, and held there. No former traffic is marked: a release that comes after an
 * interrupted rollback must not take what was rolled back for what should serve.
 */
export function rollbackEdit(
  live: LiveService | undefined,
  plan: Plan & { revision: string },
  by: { release: string; hold: Hold },
): ServiceEdit & { traffic: PlannedTraffic[] } {
  return {
    traffic: [
      { revision: plan.revision, percent: 100 },
      ...foreignTags(live, plan.tag).map((tagged) => ({ ...tagged, percent: 0 })),
    ],
    annotations: {
      ...stateMarks(by.release, 'migrating'),
      [marks.pin]: plan.revision,
      [marks.formerTraffic]: null,
      [marks.unpinned]: null,
      ...holdMark(by.hold),
    },
  };
}

/** Lifts the hold and nothing else: the newest release and its state stay what they are. */
export function unpinEdit(release: string): ServiceEdit {
  return { annotations: { ...holdMark(undefined), [marks.unpinned]: release } };
}

function holdMark(hold: Hold | undefined): Record<string, string | null> {
  return { [marks.hold]: hold ? JSON.stringify(hold) : null };
}

function candidateTraffic(
  plan: Plan,
  live: LiveService | undefined,
  revision: string,
): Pick<ServiceEdit, 'traffic' | 'public'> {
  if (!live) return { public: false };
  if (plan.first) return { traffic: [{ revision, percent: 100 }], public: false };
  return {
    traffic: [
      ...plan.formerTraffic.filter((entry) => entry.percent > 0),
      ...foreignTags(live).map((tagged) => ({ ...tagged, percent: 0 })),
      { revision, tag: candidateTag, percent: 0 },
    ],
  };
}

function serviceWideEdit(
  changes: Change[],
  side: 'from' | 'to',
): Pick<ServiceEdit, 'public' | 'minInstances'> {
  const edit: Pick<ServiceEdit, 'public' | 'minInstances'> = {};
  for (const change of changes) {
    const value = change[side];
    if (change.field === 'public') edit.public = value === 'true';
    if (change.field === 'minInstances') edit.minInstances = Number(value ?? 0);
  }
  return edit;
}

function stateMarks(release: string, state: ReleaseMark): Record<string, string> {
  return { [marks.release]: release, [marks.state]: state };
}

function ownedBy(target: Target): Owned {
  return {
    env: Object.keys(target.env),
    secrets: Object.keys(target.secrets),
    labels: Object.keys(target.container.labels),
  };
}
