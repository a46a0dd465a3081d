import type { CheckResult } from '../../checks/result.ts';
import { formatMilliseconds, formatSeconds } from '../../terminal/format.ts';
import type { ServiceReport } from '../release-report.ts';
import { signs } from './signs.ts';
import { code, section, tableOf } from './text.ts';

/** All checks, and under them what some kinds bring beside. */
export function tests({ checks, tests: counts }: ServiceReport): string[] {
  const rows = checks.map((check) => [
    code(check.id),
    check.kind,
    check.stage,
    `${signs[check.status]} ${check.status}${check.required ? '' : ' (advisory)'}${check.expectedToFail ? ' (known failure)' : ''}`,
    formatMilliseconds(check.durationMs),
    code(check.reason),
  ]);
  return [
    ...tableOf(['Check', 'Kind', 'Stage', 'Outcome', 'Time', 'What was seen'], rows),
    ...(counts
      ? [`Tests of suites: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped.`, '']
      : []),
    ...checks.flatMap(evidence),
  ];
}

/** Kinds that bring a table of their own. */
function evidence(check: CheckResult): string[] {
  const { messages = [], components = [], phases = [], cases = [] } = check;
  const step = ({ status, ms }: { status: string; ms: number | null }): string =>
    `${status}${ms === null ? '' : ` ${formatMilliseconds(ms)}`}`;
  const failed = cases.filter(({ status, detail }) => status === 'failed' || detail !== '');
  return [
    ...section(
      `**${check.id}, ${check.stage}: messages**`,
      tableOf(
        ['Message', 'Connection', 'Auth', 'Processing', 'Response', 'Missing events', 'Unexpected events'],
        messages.map((one) => [
          code(one.type),
          ...[one.connection, one.auth, one.processing, one.response].map(step),
          one.missing.map((name) => code(name)).join(' ') || '–',
          one.unexpected.map((name) => code(name)).join(' ') || '–',
        ]),
      ),
    ),
    ...section(
      `**${check.id}, ${check.stage}: components**`,
      tableOf(
        ['Code', 'Component', 'Status', 'Message', 'Details'],
        components.map((one) =>
          [one.code, one.component, one.status, one.message, one.details].map((text) => code(text)),
        ),
      ),
    ),
    ...section(
      `**${check.id}, ${check.stage}: phases**`,
      tableOf(
        ['Phase', 'Outcome', 'Passed', 'Failed', 'Skipped', 'Time', 'What was seen'],
        phases.map((one) => [
          code(one.name),
          `${signs[one.status]} ${one.status}`,
          ...[one.passed, one.failed, one.skipped].map(String),
          one.status === 'skipped' ? '–' : formatSeconds(one.seconds),
          code(one.reason),
        ]),
      ),
    ),
    ...section(
      `**${check.id}, ${check.stage}: tests to look at**`,
      tableOf(
        ['Test', 'Phase', 'Outcome', 'Time', 'Detail'],
        failed.map((one) => [
          code(one.name),
          code(one.phase),
          one.status,
          formatSeconds(one.seconds),
          code(one.detail),
        ]),
      ),
    ),
  ];
}
