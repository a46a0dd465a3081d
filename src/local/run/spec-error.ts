import { status } from '@grpc/grpc-js';
import type { z } from 'zod';
import type { ErrorDetail } from '../error-details.ts';
import { RpcError } from '../grpc.ts';

/** Leads to a field of a service's spec: keys, and places in lists. */
export type FieldPath = readonly PropertyKey[];

/** A refused value (INVALID_ARGUMENT) or field (UNIMPLEMENTED) of a spec; each face names fields in its own words. */
export class SpecError extends RpcError {
  readonly path: FieldPath;
  readonly problem: string;

  constructor(
    path: FieldPath,
    problem: string,
    code: number = status.INVALID_ARGUMENT,
    field = formatPath(path),
  ) {
    const violation: ErrorDetail = {
      kind: 'BadRequest',
      fieldViolations: [{ field, description: problem }],
    };
    super(code, `${field}: ${problem}`, field ? [violation] : []);
    this.path = path;
    this.problem = problem;
  }
}

/** `template.containers[0].image` */
export function formatPath(path: FieldPath): string {
  return path.reduce<string>(
    (all, part) =>
      typeof part === 'number' ? `${all}[${part}]` : all ? `${all}.${String(part)}` : String(part),
    '',
  );
}

/** What a schema found wrong: before all the first field that is not supported. */
export function firstRefusal({ issues }: z.ZodError): SpecError {
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const path = issue?.path ?? [];
  if (issue?.code !== 'unrecognized_keys') return new SpecError(path, issue?.message ?? 'is not valid');
  const [key = '', ...others] = issue.keys;
  const also = others.length > 0 ? ` Nor does it support ${others.join(', ')}.` : '';
  const problem = `the local cloud does not support this field.${also}`;
  return new SpecError([...path, key], problem, status.UNIMPLEMENTED);
}
