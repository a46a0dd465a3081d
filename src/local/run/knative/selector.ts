import { status } from '@grpc/grpc-js';
import { RpcError } from '../../grpc.ts';

/** A label selector: `a=b`, `a == b`, `a!=b`, `a` and `!a`, separated by commas. Source: kubernetes.io/docs/concepts/overview/working-with-objects/labels. */
export function labelSelector(selector: string): (labels: Readonly<Record<string, string>>) => boolean {
  const tests = selector
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(requirement);
  return (labels) => tests.every((test) => test(labels));
}

type Test = (labels: Readonly<Record<string, string>>) => boolean;

function requirement(part: string): Test {
  const match = /^(!?)([\w./-]+)(?:\s*(==|=|!=)\s*([\w./-]*))?$/.exec(part);
  const [, not, key = '', operator, value = ''] = match ?? [];
  if (!match || (not && operator)) {
    throw new RpcError(
      status.INVALID_ARGUMENT,
      `labelSelector: '${part}' is not one that the local cloud supports: a=b, a!=b, a or !a.`,
    );
  }
  if (operator === '!=') return (labels) => labels[key] !== value;
  if (operator) return (labels) => labels[key] === value;
  return (labels) => Object.hasOwn(labels, key) !== (not === '!');
}
