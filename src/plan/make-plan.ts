import { isDeepStrictEqual } from 'node:util';
import type { LiveRevision, LiveService } from '../cloud/ports/index.ts';
import type { Target } from '../config/target.ts';
import { retyped } from '../typed.ts';
import { foreignBlockers } from './blockers.ts';
import { foreignKeys, serviceWideChanges, templateChanges } from './diff.ts';
import { describeHold } from './hold.ts';
import { candidateTag, ownedKeys, readMarks, schemaNoteOf, unfinishedRelease } from './marks.ts';
import type { Change, Plan, PlannedTraffic } from './plan.ts';
import { resumeCommand } from './resume-command.ts';
import { describeSchema, type SchemaNote } from './schema-note.ts';
import { describeTraffic, namedTraffic, onlyServing, pinOf } from './traffic.ts';

export type PlanInputs = {
  target: Target;
  live: LiveService | undefined;
  /** Known revisions of the service, newest first. */
  revisions: LiveRevision[];
  /** Hash of the source; null when an image is given. */
  source: string | null;
  /** The image, once it is known: given, from an earlier build of this source, or just built. */
  image: { from: Plan['image']['from']; reference: string | null };
  /** Becomes `SERVICE-SUFFIX`, fixed beforehand so that a lost reply is answered by reading it. */
  revisionSuffix: string;
  takeOverTraffic: boolean;
  /** What to type to go on, e.g. `sluice deploy staging`. */
  command: string;
};

/** (Target, Live) → Plan. Pure: no clock, no log, no network. */
export function makePlan(inputs: PlanInputs): Plan {
  const { target, live, revisions } = inputs;
  const found = readMarks(live?.annotations ?? {});
  const former = formerTraffic(inputs);
  const serving = revisions.find((revision) => revision.name === onlyServing(former));
  const first = live === undefined || !servesAnything(live, revisions);
  const changes = [
    ...templateChanges(target, serving?.template, inputs.image.reference, ownedKeys(live, serving)),
    ...schemaChange(target.schema, schemaNoteOf(serving)),
  ];
  const serviceWide = serviceWideChanges(target, live);
  const because = whyAct(inputs, serving, changes, serviceWide);
  const action = live === undefined ? 'create' : because === null ? 'none' : 'update';
  const blockers = action === 'none' ? [] : findBlockers(inputs);
  return {
    version: 1,
    service: target.key,
    environment: target.environment,
    place: target.ref,
    action,
    first,
    because: because ?? 'the serving revision has this image and config and a passed verdict',
    changes: action === 'none' ? [] : changes,
    image: { ...inputs.image, source: inputs.source },
    revision: action === 'none' ? null : `${target.ref.service}-${inputs.revisionSuffix}`,
    tag: first ? null : candidateTag,
    formerTraffic: former,
    etag: live?.etag ?? '',
    serviceWide: action === 'none' ? [] : serviceWide,
    ...(target.schema ? { schema: target.schema } : {}),
    ...(found.hold ? { hold: found.hold } : {}),
    steps: action === 'none' ? [] : describeSteps(inputs, first, serviceWide),
    // Otherwise it is told as what stands in the way.
    notes: [
      ...notes(inputs, serving, first),
      ...(action === 'none' && found.hold ? [`The traffic is held ${describeHold(found.hold)}`] : []),
    ],
    blockers,
  };
}

/** A note that is gone from sluice.yaml is no reason for a revision; the next one goes without it. */
function schemaChange(wish: SchemaNote | undefined, found: SchemaNote | null): Change[] {
  if (!wish || isDeepStrictEqual(wish, found)) return [];
  return [{ field: 'schema', from: found && describeSchema(found), to: describeSchema(wish) }];
}

/** The traffic a failure restores: what really serves, or what served before an interrupted release moved it. */
function formerTraffic({ live, revisions }: PlanInputs): PlannedTraffic[] {
  if (!live) return [];
  const found = readMarks(live.annotations);
  const recorded = found.formerTraffic;
  const untouched = pinOf(live, found).kind === 'own';
  if (found.state === 'migrating' && untouched && recorded && allExist(recorded, revisions)) return recorded;
  return namedTraffic(live);
}

function allExist(traffic: PlannedTraffic[], revisions: LiveRevision[]): boolean {
  const names = new Set(revisions.map((revision) => revision.name));
  const weighted = traffic.filter(({ percent }) => percent > 0);
  return weighted.length > 0 && weighted.every((entry) => names.has(entry.revision));
}

function servesAnything(live: LiveService, revisions: LiveRevision[]): boolean {
  const ready = new Set(revisions.filter((revision) => revision.ready === 'yes').map(({ name }) => name));
  return namedTraffic(live).some((entry) => entry.percent > 0 && ready.has(entry.revision));
}

/** Why there is something to do; null when there is not. */
function whyAct(
  { live, source, image }: PlanInputs,
  serving: LiveRevision | undefined,
  changes: Change[],
  serviceWide: Change[],
): string | null {
  if (!live) return 'the service does not exist yet';
  if (!serving) return `no single revision serves: ${describeTraffic(namedTraffic(live))}`;
  const found = readMarks(live.annotations);
  const interrupted = unfinishedRelease(found);
  if (interrupted) return `release ${interrupted} did not finish`;
  const count = changes.length + serviceWide.length;
  if (image.reference === null && source !== null) return 'the source has changed';
  if (count > 0) return `${count} ${count === 1 ? 'field differs' : 'fields differ'} from what serves`;
  if (found.verified !== serving.name) return `${serving.name} serves without a passed verdict`;
  if (pinOf(live, found).kind !== 'own') return 'the traffic is not pinned to the verified revision';
  return null;
}

function findBlockers({ live, takeOverTraffic, command, target }: PlanInputs): Plan['blockers'] {
  if (!live) return [];
  const { service } = target.ref;
  return [
    ...heldBlockers(live, service, command),
    ...openBlockers(live, target),
    ...(takeOverTraffic
      ? []
      : foreignBlockers(live, { service, takes: candidateTag, verb: 'deploy', command })),
  ];
}

/** A rollback's hold: nobody but a person lifts it. */
function heldBlockers(live: LiveService, service: string, command: string): Plan['blockers'] {
  const { hold } = readMarks(live.annotations);
  if (!hold) return [];
  const traffic = namedTraffic(live);
  const where = onlyServing(traffic) ?? describeTraffic(traffic);
  return [
    {
      what: `The traffic of ${service} is held on ${where} ${describeHold(hold)}`,
      why: 'A deploy would undo a rollback. Lifting the hold moves no traffic; the next verified candidate does.',
      next: [retyped(command, 'unpin')],
    },
  ];
}

/** What the policy gives is somebody else's to take back: closing the service alone would leave it open. */
function openBlockers(live: LiveService, { ref, container }: Target): Plan['blockers'] {
  if (container.public || !live.openedByPolicy) return [];
  const place = `--project=${ref.project} --region=${ref.region}`;
  return [
    {
      what: `Everybody may call ${ref.service}: its IAM policy gives \`allUsers\` the role roles/run.invoker.`,
      why: 'The config says `public: false`, and Sluice takes nothing out of a policy that it did not put there.',
      next: [
        `gcloud run services remove-iam-policy-binding ${ref.service} ${place} --member=allUsers --role=roles/run.invoker`,
      ],
    },
  ];
}

function describeSteps({ image, target }: PlanInputs, first: boolean, serviceWide: Change[]): string[] {
  const settings = serviceWide.map(({ field, to }) => `${field}=${to}`).join(', ');
  const before = target.checklist.filter(({ stages }) => stages.includes('predeploy')).map(({ id }) => id);
  return [
    ...(before.length > 0 ? [`run the predeploy checks: ${before.join(', ')}`] : []),
    ...(image.from === 'build' ? ['build the image with Cloud Build'] : []),
    first
      ? 'make the revision, closed to the public until it has passed'
      : `make the revision as a candidate: tag \`${candidateTag}\`, 0 % of the traffic`,
    'follow its startup',
    'run the candidate checks',
    ...rolloutSteps(target.rollout, first),
    ...(settings ? [`apply to the whole service, with the last of the traffic: ${settings}`] : []),
    'run the post-deploy checklist',
  ];
}

/** A first deploy has nothing to share the traffic with. */
function rolloutSteps({ steps, bakeSeconds }: Target['rollout'], first: boolean): string[] {
  const percents = first ? [100] : steps;
  return percents.map(
    (percent) => `move ${percent} % of the traffic, prove who answers, watch the log for ${bakeSeconds} s`,
  );
}

function notes(
  { live, command, target }: PlanInputs,
  serving: LiveRevision | undefined,
  first: boolean,
): string[] {
  if (!live) return [];
  const found = readMarks(live.annotations);
  const result: string[] = [];
  const interrupted = unfinishedRelease(found);
  if (interrupted) {
    result.push(
      `Release ${interrupted} was interrupted; this one takes its place. \`${resumeCommand(command, interrupted)}\` would go on with it.`,
    );
  }
  if (first) result.push('No revision of this service has served yet: there is no traffic to protect.');
  const foreign = [...live.foreign, ...foreignKeys(target, live.template, ownedKeys(live, serving))];
  if (foreign.length > 0) result.push(`Left as they are: ${foreign.join(', ')}.`);
  return result;
}
