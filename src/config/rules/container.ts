import { fault, type Rule } from './rule.ts';

export const minNotAboveMax: Rule = ({ config: { container } }) =>
  container.minInstances <= container.maxInstances
    ? []
    : [
        fault(['container', 'minInstances'], 'more instances at least than at most', {
          found: String(container.minInstances),
          allowed: `at most maxInstances, which is ${container.maxInstances}`,
        }),
      ];

/** https://cloud.google.com/run/docs/configuring/services/cpu and …/memory-limits; MiB. */
const memoryByCpu: Record<string, readonly [least: number, most: number]> = {
  '1': [128, 4096],
  '2': [128, 8192],
  '4': [2048, 16_384],
  '6': [4096, 24_576],
  '8': [4096, 32_768],
};

function memoryFor(cpu: string): readonly [least: number, most: number] | undefined {
  const milli = cpu.endsWith('m') ? Number.parseInt(cpu, 10) : undefined;
  if (milli === undefined) return memoryByCpu[cpu];
  if (milli < 80 || milli > 1000) return undefined;
  return [128, milli < 500 ? 512 : 1024];
}

/** CPU and memory go together as Cloud Run documents it. */
export const cpuMemoryPairs: Rule = ({ config: { container } }) => {
  const bounds = memoryFor(container.cpu);
  if (bounds === undefined) {
    return [
      fault(['container', 'cpu'], 'Cloud Run has no such CPU', {
        found: container.cpu,
        allowed: '1, 2, 4, 6 or 8, or a part of one CPU from 0.08 (80m) to 1',
      }),
    ];
  }
  const mebibytes = Number.parseInt(container.memory, 10) * (container.memory.endsWith('Gi') ? 1024 : 1);
  if (mebibytes >= bounds[0] && mebibytes <= bounds[1]) return [];
  return [
    fault(['container', 'memory'], `this memory does not go with ${container.cpu} CPU`, {
      found: container.memory,
      allowed: `${bounds[0]}Mi to ${bounds[1]}Mi with ${container.cpu} CPU`,
    }),
  ];
};

export const partOfCpuServesOneRequest: Rule = ({ config: { container } }) =>
  container.cpu.endsWith('m') && container.concurrency > 1
    ? [
        fault(['container', 'concurrency'], 'less than one CPU serves one request at a time', {
          found: String(container.concurrency),
          allowed: `1 with ${container.cpu} CPU`,
        }),
      ]
    : [];

export const requestTimeoutWithinAnHour: Rule = ({ config: { container } }) =>
  container.timeout >= 1 && container.timeout <= 3600 && Number.isInteger(container.timeout)
    ? []
    : [
        fault(['container', 'timeout'], 'no request timeout of Cloud Run', {
          found: `${container.timeout}s`,
          allowed: 'whole seconds from 1s to 1h',
        }),
      ];

/** The candidate's URL is `candidate---NAME-…`: Cloud Run allows tag and name 46 characters together. */
const longestName = 46 - 'candidate'.length;

export const serviceNameLength: Rule = ({ service }) =>
  /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(service) && service.length <= longestName
    ? []
    : [
        fault(['name'], `"${service}" cannot be the name of a service`, {
          allowed: `at most ${longestName} lower-case letters, digits and -, beginning with a letter, not ending in -`,
        }),
      ];
