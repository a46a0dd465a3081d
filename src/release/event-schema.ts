import { z } from 'zod';
import { checkResultSchema } from '../checks/result-schema.ts';
import { verdictSchema } from '../gate/verdict.ts';
import { holdSchema } from '../plan/hold.ts';
import { changeSchema, planSchema, trafficSchema } from '../plan/plan.ts';
import { schemaNoteSchema } from '../plan/schema-note.ts';
import { findingSchema, phaseSchema, profileSchema, systemSchema } from '../startup/profile.ts';
import { diagnosisSchema } from './diagnosis-schema.ts';
import { runbooks, stages } from './events.ts';

// Apart from the events' types: to make these schemas takes time that only who reads a record must spend.

const stage = z.enum(stages);
const service = z.string();
const problem = z.object({
  what: z.string(),
  why: z.string().exactOptional(),
  next: z.array(z.string()).exactOptional(),
});
const purpose = z.enum(['migrate', 'restore', 'rollback', 'warm']);
/** Counts the changes of what a service is to be; '' before there is one. A resume knows by it that nobody else wrote. */
const generation = z.string().exactOptional();
/** Which of a rollout's steps, and the percent that the new revision gets in it. */
const rolloutStep = z.object({ number: z.number(), of: z.number(), percent: z.number() });
const observedTraffic = trafficSchema.extend({ uri: z.string().exactOptional() });

/** Newest first, bounded. */
const commits = z.array(z.object({ id: z.string(), subject: z.string() }));

/** What somebody decided against a condition of the gate: shown for ever. */
const overrideSchema = z.object({ condition: z.string(), why: z.string(), who: z.string() });

/** What a release and its resumption say of themselves. */
const about = {
  runbook: z.enum(runbooks),
  environment: z.string(),
  cloud: z.enum(['google', 'local']),
  services: z.array(z.string()),
  who: z.string(),
  /** The identity of the cloud's credentials; '' when they do not tell. */
  account: z.string().exactOptional(),
  sluice: z.string(),
};

const durable = [
  z.object({
    type: z.literal('release.started'),
    ...about,
    commit: z.string().nullable(),
    dirty: z.boolean(),
    /** The command as typed, without values of variables. */
    command: z.string().exactOptional(),
    /** A person's reason, of a rollback. */
    reason: z.string().exactOptional(),
    /** The one check that was asked for: the release tells nothing of the others. */
    only: z.string().exactOptional(),
    /** Where a promoted image comes from. */
    from: z.object({ environment: z.string(), releases: z.array(z.string()) }).exactOptional(),
    /** Commits that a promotion brings; of a deploy `commits.found` tells them. */
    commits: commits.exactOptional(),
  }),
  /** The release goes on after its process died: what follows was done by another one. */
  z.object({
    type: z.literal('release.resumed'),
    ...about,
    command: z.string(),
  }),
  /** The gate's verdict before anything of a promotion is written; `release.finished` has the one after. */
  z.object({
    type: z.literal('gate.judged'),
    from: z.string(),
    to: z.string(),
    verdict: verdictSchema,
    risk: z.enum(['low', 'medium', 'high']),
    riskReasons: z.array(z.string()),
    overrides: z.array(overrideSchema),
  }),
  z.object({ type: z.literal('commits.found'), commits }),
  z.object({ type: z.literal('stage.started'), service, stage }),
  z.object({
    type: z.literal('stage.finished'),
    service,
    stage,
    outcome: z.enum(['done', 'skipped', 'failed']),
    /** One line for a person. */
    note: z.string(),
    seconds: z.number(),
  }),
  /** The service as it was found; url and serving are '' when it does not exist or nothing serves. */
  z.object({
    type: z.literal('service.observed'),
    service,
    url: z.string(),
    serving: z.string(),
    image: z.string(),
    traffic: z.array(observedTraffic),
    etag: z.string(),
    generation,
  }),
  z.object({ type: z.literal('plan.made'), service, plan: planSchema }),
  z.object({ type: z.literal('preflight.failed'), service, problems: z.array(problem) }),
  z.object({ type: z.literal('build.started'), service, build: z.string(), logUrl: z.string() }),
  z.object({
    type: z.literal('build.finished'),
    service,
    outcome: z.enum(['succeeded', 'failed', 'reused', 'given']),
    image: z.string(),
    digest: z.string(),
    seconds: z.number(),
    detail: z.string(),
    /** The end of a failed build's log, bounded. */
    tail: z.array(z.string()),
  }),
  z.object({
    type: z.literal('candidate.intended'),
    service,
    revision: z.string(),
    image: z.string(),
    etag: z.string(),
    tag: z.string().nullable(),
    create: z.boolean(),
    formerTraffic: z.array(trafficSchema),
  }),
  z.object({
    type: z.literal('candidate.observed'),
    service,
    revision: z.string(),
    etag: z.string(),
    generation,
    url: z.string(),
    candidateUrl: z.string(),
    /** Of a candidate that was found, not made. */
    image: z.string().exactOptional(),
  }),
  z.object({ type: z.literal('startup.phase'), service, revision: z.string(), phase: phaseSchema }),
  z.object({ type: z.literal('startup.system'), service, revision: z.string(), system: systemSchema }),
  z.object({ type: z.literal('startup.finding'), service, revision: z.string(), finding: findingSchema }),
  z.object({
    type: z.literal('startup.finished'),
    service,
    profile: profileSchema,
    /** Why the wait ended, in one line. */
    decidedBy: z.string(),
  }),
  z.object({
    type: z.literal('check.started'),
    service,
    id: z.string(),
    stage: z.enum(['predeploy', 'candidate', 'post']),
  }),
  z.object({
    type: z.literal('check.finished'),
    service,
    result: checkResultSchema,
    /** The revision that was checked. */
    revision: z.string().exactOptional(),
  }),
  z.object({
    type: z.literal('traffic.intended'),
    service,
    purpose,
    traffic: z.array(trafficSchema),
    /** Settings that work at once (invoker, minimum instances), written together with the traffic. */
    serviceWide: z.array(changeSchema),
    step: rolloutStep.exactOptional(),
    etag: z.string(),
  }),
  z.object({
    type: z.literal('traffic.observed'),
    service,
    purpose,
    actual: z.array(observedTraffic),
    /** Actual equals desired, as Cloud Run reports it. */
    settled: z.boolean(),
    step: rolloutStep.exactOptional(),
    etag: z.string(),
    generation,
  }),
  z.object({
    type: z.literal('answer.proven'),
    service,
    revision: z.string(),
    url: z.string(),
    /** Answers in a row that came from the revision, or from the revisions of a split. */
    answers: z.number(),
    /** Of a split: who gave them; `revision` is the one that is rolled out, or the one that answered most. */
    from: z.array(z.object({ revision: z.string(), answers: z.number() })).exactOptional(),
    by: z.enum(['response-field', 'request-log']),
  }),
  /** The last write of a success: the service's annotations name its verified revision; '' when it is not verified. */
  z.object({ type: z.literal('mark.intended'), service, verified: z.string(), etag: z.string() }),
  z.object({
    type: z.literal('mark.observed'),
    service,
    verified: z.string(),
    etag: z.string(),
    generation,
  }),
  /** Where a rollback goes, and why there. */
  z.object({
    type: z.literal('rollback.chosen'),
    service,
    /** What served; '' for a split. */
    from: z.string(),
    to: z.string(),
    /** The release that gave it the traffic once; null when no record tells. */
    release: z.string().nullable(),
    because: z.string(),
    /** What `--now` leaves out. */
    skipped: z.array(z.string()),
    /** Schema changes that it goes behind: somebody said `--accept-schema-risk`. */
    acceptedRisks: z.array(schemaNoteSchema),
  }),
  /** Written together with the traffic of a rollback. */
  z.object({ type: z.literal('hold.placed'), service, hold: holdSchema }),
  z.object({ type: z.literal('hold.intended'), service, lifts: holdSchema, etag: z.string() }),
  z.object({ type: z.literal('hold.lifted'), service, hold: holdSchema, etag: z.string(), generation }),
  z.object({
    type: z.literal('service.finished'),
    service,
    /** `checked`: all that was to be run was run, and nothing that counts has failed. */
    outcome: z.enum(['deployed', 'unchanged', 'checked', 'failed', 'not-started']),
    /** A key of the exit code table. */
    reason: z.string(),
    rolledBack: z.boolean(),
    /** What a person needs when it failed; null otherwise. */
    diagnosis: diagnosisSchema.nullable(),
  }),
  z.object({
    type: z.literal('release.finished'),
    outcome: z.enum(['succeeded', 'unchanged', 'failed', 'interrupted', 'unknown']),
    exitCode: z.number(),
    rolledBack: z.boolean(),
    verdict: verdictSchema,
  }),
] as const;

const passing = [
  z.object({ type: z.literal('build.log'), service, line: z.string() }),
  z.object({
    type: z.literal('startup.log'),
    service,
    revision: z.string(),
    severity: z.string(),
    line: z.string(),
  }),
  /** What is being waited for right now, in one line. */
  z.object({ type: z.literal('progress'), service, stage, note: z.string() }),
  z.object({ type: z.literal('notice'), service: z.string().nullable(), note: z.string() }),
] as const;

const durableEventSchema = z.discriminatedUnion('type', durable);
const passingEventSchema = z.discriminatedUnion('type', passing);

/** Every event is stamped when it happens; `seq` counts within its release, passing ones included. */
const stampSchema = z.object({
  v: z.literal(1),
  release: z.string(),
  seq: z.number(),
  at: z.string(),
});

export const recordedEventSchema = stampSchema.extend({ event: durableEventSchema });

export type DurableEvent = z.infer<typeof durableEventSchema>;
export type PassingEvent = z.infer<typeof passingEventSchema>;
export type RolloutStep = z.infer<typeof rolloutStep>;
export type Stamp = z.infer<typeof stampSchema>;
