import { z } from 'zod';
import type { CheckResult } from '../checks/result.ts';
import { checkResultSchema } from '../checks/result-schema.ts';
import { exitCodes } from '../errors.ts';
import { verdictSchema } from '../gate/verdict.ts';
import { holdSchema } from '../plan/hold.ts';
import { changeSchema } from '../plan/plan.ts';
import { schemaNoteSchema } from '../plan/schema-note.ts';
import { diagnosisSchema } from '../release/diagnosis-schema.ts';
import type { ReleaseState, ServiceState } from '../release/state.ts';
import { profileSchema } from '../startup/profile.ts';
import { digestOf, revisionOf, serving, urlOf } from './facts.ts';

/** What `sluice deploy --json` prints: a contract that scripts rely on. */
export const releaseDocumentSchema = z.strictObject({
  version: z.literal(1),
  release: z.strictObject({
    id: z.string(),
    outcome: z.enum(['succeeded', 'unchanged', 'failed', 'interrupted', 'unknown']),
    exitCode: z.number().int(),
    rolledBack: z.boolean(),
    verdict: verdictSchema,
    /** Of a promotion: how the gate was judged before anything was written. */
    gate: z
      .strictObject({
        from: z.string(),
        decision: verdictSchema.shape.decision,
        risk: z.enum(['low', 'medium', 'high']),
        overrides: z.array(z.strictObject({ condition: z.string(), why: z.string(), who: z.string() })),
      })
      .exactOptional(),
  }),
  services: z.array(
    z.strictObject({
      name: z.string(),
      revision: z.string().nullable(),
      digest: z.string().nullable(),
      url: z.string().nullable(),
      candidateUrl: z.string().nullable(),
      traffic: z.array(z.strictObject({ revision: z.string(), percent: z.number() })),
      startup: profileSchema.nullable(),
      checks: z.array(
        checkResultSchema.pick({
          id: true,
          kind: true,
          stage: true,
          required: true,
          status: true,
          reason: true,
          durationMs: true,
          messages: true,
          components: true,
          expectedToFail: true,
          next: true,
          figures: true,
          phases: true,
          cases: true,
          output: true,
        }),
      ),
      changes: z.array(changeSchema),
      /** Of a rollback, else null. */
      rollback: z
        .strictObject({
          from: z.string(),
          to: z.string(),
          release: z.string().nullable(),
          because: z.string(),
          reason: z.string(),
          skipped: z.array(z.string()),
          acceptedRisks: z.array(schemaNoteSchema),
        })
        .nullable(),
      /** The hold that this release placed or lifted. */
      hold: z.strictObject({ state: z.enum(['placed', 'lifted']), hold: holdSchema }).nullable(),
      diagnosis: diagnosisSchema.nullable(),
    }),
  ),
});

export type ReleaseDocument = z.infer<typeof releaseDocumentSchema>;

/** A release whose end was never seen has an unknown outcome. */
export function releaseDocument(state: ReleaseState): ReleaseDocument {
  const { finished } = state;
  return {
    version: 1,
    release: {
      id: state.id,
      outcome: finished?.outcome ?? 'unknown',
      exitCode: finished?.exitCode ?? exitCodes.unknown,
      rolledBack: finished?.rolledBack ?? false,
      verdict: finished?.verdict ?? { decision: 'pending', conditions: [] },
      ...(state.gate ? { gate: gateOf(state.gate) } : {}),
    },
    services: [...state.services.values()].map((service) =>
      serviceDocument(service, state.started?.reason ?? ''),
    ),
  };
}

function gateOf({ from, verdict, risk, overrides }: NonNullable<ReleaseState['gate']>) {
  return { from, decision: verdict.decision, risk, overrides };
}

function serviceDocument(service: ServiceState, reason: string): ReleaseDocument['services'][number] {
  return {
    name: service.service,
    revision: revisionOf(service),
    digest: digestOf(service),
    url: urlOf(service),
    candidateUrl: service.candidate?.candidateUrl || null,
    traffic: serving(service.traffic),
    startup: service.profile,
    checks: service.checks.map(checkDocument),
    changes: service.plan?.changes ?? [],
    rollback: service.rollback && rollbackDocument(service.rollback, reason),
    hold: service.hold,
    diagnosis: service.finished?.diagnosis ?? null,
  };
}

function checkDocument({ id, kind, stage, required, status, reason, durationMs, ...check }: CheckResult) {
  const { expectedToFail, next, messages, components, figures, phases, cases, output } = check;
  return {
    ...{ id, kind, stage, required, status, reason, durationMs },
    ...(expectedToFail ? { expectedToFail } : {}),
    ...(next === undefined ? {} : { next }),
    ...(messages ? { messages } : {}),
    ...(components ? { components } : {}),
    ...(figures ? { figures } : {}),
    ...(phases ? { phases } : {}),
    ...(cases ? { cases } : {}),
    ...(output ? { output } : {}),
  };
}

type Rollback = ReleaseDocument['services'][number]['rollback'];

function rollbackDocument(chosen: NonNullable<ServiceState['rollback']>, reason: string): Rollback {
  const { from, to, release, because, skipped, acceptedRisks } = chosen;
  return { from, to, release, because, reason, skipped, acceptedRisks };
}
