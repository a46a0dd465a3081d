import { errorMessage } from '../../errors.ts';
import type { Path } from '../document.ts';
import type { E2eNames } from '../e2e-names.ts';
import type { Fault } from '../issues.ts';
import type { Service } from '../schema/service.ts';

/** One service in one environment, as the rules see it: merged, filled, parsed. */
export type Subject = {
  environment: { name: string; e2e: boolean };
  /** The names of all environments of the file. */
  environments: readonly string[];
  /** The name of the Cloud Run service. */
  service: string;
  config: Service;
  /** What any service of the file declares under `e2e`, in any environment: these open it to tests. */
  e2eNames: E2eNames;
};

/** Looks at what no single key can tell; paths are within the service. */
export type Rule = (subject: Subject) => Fault[];

export function fault(
  path: Path,
  message: string,
  more: Partial<Omit<Fault, 'path' | 'message'>> = {},
): Fault {
  return { path, part: 'value', message, ...more };
}

/** Why an expression does not compile, or undefined. */
export function whyNot(compile: () => unknown): string | undefined {
  try {
    compile();
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
