import type { LiveRevision, LiveService } from '../cloud/ports/index.ts';
import type { Target } from '../config/target.ts';
import { foreignBlockers } from './blockers.ts';
import { templateDifference } from './diff.ts';
import { readMarks, rollbackTag, schemaNoteOf } from './marks.ts';
import type { Plan } from './plan.ts';
import type { Choice } from './rollback-choice.ts';
import { describeSchema, type SchemaNote, schemaRisks } from './schema-note.ts';
import type { PastRelease } from './served.ts';
import { namedTraffic, onlyServing } from './traffic.ts';

export type RollbackInputs = {
  target: Target;
  live: LiveService;
  /** The newest revisions, what serves and what is gone back to, as far as they exist. */
  revisions: readonly LiveRevision[];
  past: readonly PastRelease[];
  choice: Extract<Choice, { kind: 'chosen' }>;
  /** Skips the warming and the checks. */
  now: boolean;
  takeOverTraffic: boolean;
  acceptSchemaRisk: boolean;
  /** `sluice rollback staging`, as typed, without `--to`. */
  command: string;
};

/** Also the schema risks that were accepted. */
export type RollbackPlan = { plan: Plan; risks: SchemaNote[] };

/** What a rollback will do to a service, or what stands in its way; pure. */
export function makeRollbackPlan(inputs: RollbackInputs): RollbackPlan {
  const { target, live, revisions, choice, now } = inputs;
  const to = choice.target.revision;
  const former = namedTraffic(live);
  const current = onlyServing(former);
  const found = revisions.find(({ name }) => name === to);
  const serving = revisions.find(({ name }) => name === current);
  const done = current === to;
  const { hold } = readMarks(live.annotations);
  const schema = schemaNoteOf(found);
  const risks = done || !found ? [] : risksOf(inputs, found, serving);
  const plan: Plan = {
    version: 1,
    service: target.key,
    environment: target.environment,
    place: target.ref,
    action: done ? 'none' : 'rollback',
    first: false,
    because: done ? `${to} serves already` : choice.because,
    changes: done || !found || !serving ? [] : templateDifference(serving.template, found.template, target),
    image: { from: 'given', reference: found?.template.image ?? null, source: null },
    revision: done ? null : to,
    tag: done || now ? null : rollbackTag,
    formerTraffic: former,
    etag: live.etag,
    serviceWide: [],
    ...(schema ? { schema } : {}),
    ...(hold ? { hold } : {}),
    steps: done ? [] : describeSteps(to, now),
    notes: [],
    blockers: done ? [] : findBlockers(inputs, found, risks),
  };
  return { plan, risks };
}

function describeSteps(to: string, now: boolean): string[] {
  const shift = [`move all the traffic to ${to} and prove who answers`, 'hold it there until `sluice unpin`'];
  if (now) return shift;
  return [
    `give ${to} the tag \`${rollbackTag}\`, wake it and read its startup`,
    'run the http checks on its own URL',
    ...shift,
    "run the http checks on the service's URL",
  ];
}

/** The notes of what lies between, by the revisions that still exist and by the records of those that do not. */
function risksOf(
  { past, revisions }: RollbackInputs,
  found: LiveRevision,
  serving: LiveRevision | undefined,
): SchemaNote[] {
  const dated = (revision: LiveRevision) => ({ at: revision.createdAt, schema: schemaNoteOf(revision) });
  // Of a split the newest revision is what may have changed the schema.
  const current = serving ?? newest(revisions);
  if (!current) return [];
  return schemaRisks(dated(found), dated(current), [...revisions.map(dated), ...past]);
}

function newest(revisions: readonly LiveRevision[]): LiveRevision | undefined {
  return revisions.toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt))[0];
}

function findBlockers(
  inputs: RollbackInputs,
  found: LiveRevision | undefined,
  risks: SchemaNote[],
): Plan['blockers'] {
  const { live, choice, target, takeOverTraffic, acceptSchemaRisk } = inputs;
  const { service } = target.ref;
  const to = choice.target.revision;
  const command = `${inputs.command} --to ${to}${inputs.now ? ' --now' : ''}`;
  return [
    ...(found?.ready === 'yes' ? [] : [notReady(to, found, inputs.command)]),
    ...(takeOverTraffic
      ? []
      : foreignBlockers(live, {
          service,
          takes: inputs.now ? null : rollbackTag,
          verb: 'rollback',
          command,
        })),
    ...(acceptSchemaRisk || risks.length === 0 ? [] : [behindSchema(to, risks, command)]),
  ];
}

function notReady(to: string, found: LiveRevision | undefined, command: string): Plan['blockers'][number] {
  const message = found?.conditions.find(({ state }) => state === 'failed')?.message;
  return {
    what: found ? `Revision ${to} is not ready.` : `Revision ${to} no longer exists.`,
    why: message ?? 'It cannot serve.',
    next: [`${command} --to REVISION`],
  };
}

function behindSchema(to: string, risks: SchemaNote[], command: string): Plan['blockers'][number] {
  const list = risks.map(describeSchema).join(', ');
  return {
    what: `${to} is older than a database schema that is not backwards compatible: ${list}.`,
    why: 'What ran before that change may not work with the database as it is now.',
    next: [`${command} --accept-schema-risk`],
  };
}
