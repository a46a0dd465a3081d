import type { Container, Template } from './schema.ts';
import { SpecError } from './spec-error.ts';

const powers = { m: 1e-3, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

/** A Kubernetes quantity, which the schema has checked, as a number. */
function amount(quantity: string): number {
  const [, digits = '', unit = ''] = /^([\d.]+)(.*)$/.exec(quantity) ?? [];
  const power = Object.entries(powers).find(([name]) => name === unit)?.[1] ?? 1;
  return Number(digits) * power;
}

export function cpuOf(container: Container | undefined): number {
  return amount(container?.resources?.limits?.cpu ?? '1');
}

/** By CPUs, the least and the most memory; source: cloud.google.com/run/docs/configuring/services/memory-limits. */
const memoryBounds: ReadonlyMap<number, readonly [string, string]> = new Map([
  [1, ['128Mi', '4Gi']],
  [2, ['128Mi', '8Gi']],
  [4, ['2Gi', '16Gi']],
  [6, ['4Gi', '24Gi']],
  [8, ['4Gi', '32Gi']],
]);
const leastCpu = 0.08;

/** Throws where Cloud Run refuses the CPU and memory of a template with its defaults. */
export function checkResources({ containers, maxInstanceRequestConcurrency = 0 }: Template): void {
  const [container] = containers;
  const cpu = cpuOf(container);
  const bounds = cpu < 1 ? (['128Mi', cpu < 0.5 ? '512Mi' : '1Gi'] as const) : memoryBounds.get(cpu);
  if (!bounds || cpu < leastCpu) {
    refuse('cpu', `Invalid value specified for cpu. It must be 1, 2, 4, 6, 8, or between ${leastCpu} and 1.`);
  }
  if (cpu < 1 && maxInstanceRequestConcurrency > 1) {
    refuse('cpu', 'Invalid value specified for cpu. Total cpu < 1 is not supported with concurrency > 1.');
  }
  if (cpu < 1 && !container?.resources?.cpuIdle) {
    refuse(
      'cpu',
      'Invalid value specified for cpu. Total cpu < 1 is not supported with cpu_idle set to false.',
    );
  }
  const memory = amount(container?.resources?.limits?.memory ?? '512Mi');
  const [least, most] = bounds;
  if (memory < amount(least) || memory > amount(most)) {
    refuse(
      'memory',
      `Invalid value specified for container memory. For ${cpu.toFixed(1)} CPU, memory must be between ${least} and ${most} inclusive.`,
    );
  }
}

function refuse(limit: 'cpu' | 'memory', message: string): never {
  throw new SpecError(['template', 'containers', 0, 'resources', 'limits', limit], message);
}
