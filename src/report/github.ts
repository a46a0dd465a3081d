import type { ReleaseState, ServiceState } from '../release/state.ts';
import { digestOf, revisionOf, urlOf } from './facts.ts';

/**
 * What a GitHub workflow is told. Workflow commands: `%`, CR and LF are escaped, in properties `:` and `,` too.
 * @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */

export function maskLines(secrets: Iterable<string>): string[] {
  // A mask hides every occurrence: `true` or `e2e` would blank out the whole log.
  const worth = [...new Set(secrets)].filter((secret) => secret.length >= 8);
  return worth.flatMap((secret) => secret.split(/\r?\n/)).map((line) => `::add-mask::${escaped(line)}`);
}

/** A failed service is an error, what waits or is only advised is a warning, all of it in one line each. */
export function annotationLines(state: ReleaseState): string[] {
  const conditions = state.finished?.verdict.conditions ?? [];
  const waiting = state.finished?.verdict.decision === 'pending' ? conditions.filter(({ met }) => !met) : [];
  return [
    ...[...state.services.values()].flatMap(annotationsOf),
    ...waiting.map(({ id, reason }) => annotation('warning', id, reason)),
  ];
}

function annotationsOf(service: ServiceState): string[] {
  const { finished, preflight, checks } = service;
  const diagnosis = finished?.diagnosis;
  const advised = checks.filter(
    ({ status, required, expectedToFail }) => status !== 'passed' && (!required || expectedToFail),
  );
  return [
    ...preflight.map(({ what, why }) =>
      annotation('error', service.service, [what, why].filter(Boolean).join(' ')),
    ),
    ...(diagnosis
      ? [
          annotation(
            'error',
            `${service.service} was not released`,
            [diagnosis.cause, diagnosis.hint].filter(Boolean).join(' '),
          ),
        ]
      : []),
    ...advised.map(({ id, status, reason }) =>
      annotation('warning', `${service.service}: ${id} ${status}`, reason),
    ),
  ];
}

const annotationLimit = 4_000;

function annotation(level: 'error' | 'warning', title: string, message: string): string {
  const property = escaped(title.slice(0, 200)).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return `::${level} title=${property}::${escaped(message.slice(0, annotationLimit))}`;
}

/** `\u2028` is no line break to the runner. */
function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** Outputs of the step: for one service without its name, for several `SERVICE-revision` and so on. */
export function outputsOf(state: ReleaseState): [name: string, value: string][] {
  const { finished } = state;
  const services = [...state.services.values()];
  const whole: [string, string][] = [
    ['release', state.id],
    ['outcome', finished?.outcome ?? 'unknown'],
    ['verdict', finished?.verdict.decision ?? 'unknown'],
    ['rolled-back', String(finished?.rolledBack ?? false)],
    ['exit-code', String(finished?.exitCode ?? 18)],
  ];
  return [
    ...whole,
    ...services.flatMap((service) => {
      const prefix = services.length > 1 ? `${service.service}-` : '';
      const facts: [string, string | null][] = [
        ['revision', revisionOf(service)],
        ['digest', digestOf(service)],
        ['url', urlOf(service)],
      ];
      return facts.flatMap(([name, value]): [string, string][] =>
        value ? [[`${prefix}${name}`, value]] : [],
      );
    }),
  ];
}

/** The format of `$GITHUB_OUTPUT`; the delimiter must not be guessable, or a value could end itself. */
export function outputBlock(outputs: readonly [string, string][], delimiter: string): string {
  return outputs.map(([name, value]) => `${name}<<${delimiter}\n${value}\n${delimiter}\n`).join('');
}

/** Bytes that a step's summary may have, with room to spare. */
const summaryLimit = 1_000_000;

export function boundedSummary(markdown: string): string {
  const bytes = Buffer.from(markdown);
  if (bytes.length <= summaryLimit) return markdown;
  const cut = bytes
    .subarray(0, summaryLimit)
    .toString('utf8')
    .replace(/\ufffd+$/, '');
  return `${cut}\n\n*Cut here: a summary may have 1 MiB.*\n`;
}
