import type { CheckResult } from '../checks/result.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import type { ReleaseReport, ServiceReport } from './release-report.ts';

/**
 * The checks as JUnit XML, for dashboards that read nothing else: a suite a service and stage, a case a check, and
 * for suites a case a test. Inconclusive and pending are errors: not reported is never passed.
 */
export async function junitReport(report: ReleaseReport): Promise<string> {
  const { default: Builder } = await import('fast-xml-builder');
  const suites = report.services.flatMap((service) => suitesOf(service));
  const builder = new Builder({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    format: true,
    suppressEmptyNode: true,
  });
  const all = suites.flatMap(({ testcase }) => testcase);
  const document = {
    '?xml': { '@version': '1.0', '@encoding': 'UTF-8' },
    testsuites: { '@name': `sluice ${report.state.id}`, ...counts(all), testsuite: suites },
  };
  return builder.build(document);
}

type Case = {
  '@classname': string;
  '@name': string;
  '@time': string;
  failure?: { '@message': string };
  error?: { '@message': string };
  skipped?: { '@message': string };
};

function suitesOf(service: ServiceReport) {
  const stages = [...new Set(service.checks.map(({ stage }) => stage))];
  return stages.map((stage) => {
    const testcase = service.checks
      .filter((check) => check.stage === stage)
      .flatMap((check) => casesOf(service.name, check));
    return { '@name': `${service.name} ${stage}`, ...counts(testcase), testcase };
  });
}

function casesOf(service: string, check: CheckResult): Case[] {
  const classname = `${service}.${check.stage}`;
  const whole: Case = {
    '@classname': classname,
    '@name': check.id,
    '@time': (check.durationMs / 1000).toFixed(3),
    ...outcomeOf(check),
  };
  const tests = (check.cases ?? []).map(
    ({ name, phase, status, seconds, detail }): Case => ({
      '@classname': `${classname}.${check.id}${phase ? `.${line(phase)}` : ''}`,
      '@name': line(name),
      '@time': seconds.toFixed(3),
      ...(status === 'failed' ? { failure: { '@message': line(detail) } } : {}),
      ...(status === 'skipped' ? { skipped: { '@message': line(detail) } } : {}),
    }),
  );
  return [whole, ...tests];
}

/** What stops nothing (advisory, a known failure) is skipped here, with its reason, so that a dashboard stays true to the verdict. */
function outcomeOf(check: CheckResult): Pick<Case, 'failure' | 'error' | 'skipped'> {
  if (check.status === 'passed') return {};
  const said = { '@message': line(`${check.status}: ${check.reason}`) };
  if (check.status === 'skipped' || !check.required || check.expectedToFail) return { skipped: said };
  return check.status === 'failed' ? { failure: said } : { error: said };
}

function counts(cases: readonly Case[]) {
  return {
    '@tests': String(cases.length),
    '@failures': String(cases.filter(({ failure }) => failure).length),
    '@errors': String(cases.filter(({ error }) => error).length),
    '@skipped': String(cases.filter(({ skipped }) => skipped).length),
    '@time': cases.reduce((sum, one) => sum + Number(one['@time']), 0).toFixed(3),
  };
}

/** XML 1.0 has no word for U+FFFE and U+FFFF. */
const line = (text: string): string => sanitiseLine(text, 1_000).replace(/[\ufffe\uffff]/g, '');
