import { z } from 'zod';
import type { ReleaseState, ServiceState } from '../release/state.ts';
import type { GateCondition } from './verdict.ts';

const descriptorSchema = z.object({ name: z.string(), mediaType: z.string(), content: z.base64() });

/**
 * An in-toto statement with the test-result predicate, about the image of one service.
 * @see https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md
 */
export const testResultSchema = z.object({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z
    .array(z.object({ name: z.string(), digest: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }) }))
    .min(1),
  predicateType: z.literal('https://in-toto.io/attestation/test-result/v0.1'),
  predicate: z.object({
    result: z.enum(['PASSED', 'WARNED', 'FAILED']),
    configuration: z.array(descriptorSchema),
    url: z.string().exactOptional(),
    passedTests: z.array(z.string()),
    warnedTests: z.array(z.string()),
    failedTests: z.array(z.string()),
  }),
});

export type TestResult = z.infer<typeof testResultSchema>;

/**
 * The tests of a statement are the conditions of the release's verdict about the service: those that are met passed,
 * the others failed, one that waits for a person too. What is advisory or a known failure is a warning.
 * null when the release judged no image of it. Pure.
 */
export function testResultOf(state: ReleaseState, name: string, url: string): TestResult | null {
  const service = state.services.get(name);
  const image = service && imageOf(service);
  const prefix = `${name}.`;
  const conditions = state.finished?.verdict.conditions.filter(({ id }) => id.startsWith(prefix)) ?? [];
  if (!service || !image) return null;
  const names = (some: readonly GateCondition[]) => some.map(({ id }) => id.slice(prefix.length));
  const failedTests = names(conditions.filter(({ met }) => !met));
  const warnedTests = warningsOf(service).filter((test) => !failedTests.includes(test));
  const passedTests = names(conditions.filter(({ met }) => met)).filter(
    (test) => !warnedTests.includes(test),
  );
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: image.repository, digest: { sha256: image.sha256 } }],
    predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
    predicate: {
      result: resultOf(state, failedTests, warnedTests),
      configuration: configurationOf(service),
      url,
      ...{ passedTests, warnedTests, failedTests },
    },
  };
}

/** A release that is not ready as a whole gives nobody a pass. */
function resultOf(
  { finished }: ReleaseState,
  failed: readonly string[],
  warned: readonly string[],
): TestResult['predicate']['result'] {
  if (failed.length > 0 || finished?.verdict.decision !== 'ready') return 'FAILED';
  return warned.length > 0 ? 'WARNED' : 'PASSED';
}

/** What was to be released; of a run that made nothing, what serves, when anything of it was checked. */
function imageOf({
  build,
  plan,
  observed,
  checks,
}: ServiceState): { repository: string; sha256: string } | null {
  const made = plan?.action === 'create' || plan?.action === 'update';
  const image = made ? build?.image : checks.length > 0 ? observed?.image : '';
  const [, repository, sha256] = /^(.+)@sha256:([0-9a-f]{64})$/.exec(image ?? '') ?? [];
  return repository && sha256 ? { repository, sha256 } : null;
}

function warningsOf({ checks }: ServiceState): string[] {
  const warned = checks.filter(
    ({ status, required, expectedToFail }) =>
      status !== 'passed' && (!required || expectedToFail !== undefined),
  );
  return [...new Set(warned.map(testName))];
}

/** What was demanded of each check that ran. */
function configurationOf({ checks }: ServiceState): TestResult['predicate']['configuration'] {
  const ran = new Map(checks.map((check) => [testName(check), check]));
  return [...ran].map(([name, { id, kind, stage, required }]) => ({
    name,
    mediaType: 'application/json',
    content: Buffer.from(JSON.stringify({ id, kind, stage, required })).toString('base64'),
  }));
}

const testName = ({ stage, id }: { stage: string; id: string }) => `check.${stage}.${id}`;
