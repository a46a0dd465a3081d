import { status } from '@grpc/grpc-js';
import { z } from 'zod';
import { RpcError } from '../grpc.ts';

/**
 * Who may do what with a service; source: google/iam/v1/policy.proto. Conditions and audit configurations are not
 * supported here, and so are not part of it.
 */
export const policySchema = z.object({
  bindings: z.array(z.object({ role: z.string(), members: z.array(z.string()) })),
  /** Goes up with every write; the etag is made of it. */
  version: z.int(),
});
export type Policy = z.infer<typeof policySchema>;
export type Binding = Policy['bindings'][number];

/** Of a service that nobody gave a policy. */
export const noPolicy: Policy = { bindings: [], version: 0 };

export function policyEtag({ version }: Policy): Buffer {
  // Google's for no policy: `ACAB` in base64.
  if (version === 0) return Buffer.from('ACAB', 'base64');
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(version));
  return bytes;
}

/** A policy is written as a whole; a mask (of `google.iam.v1.SetIamPolicyRequest`) that leaves the bindings out is not supported. */
export function checkPolicyMask(paths: readonly string[]): void {
  if (paths.length > 0 && !paths.includes('bindings') && !paths.includes('*'))
    refuse("update_mask: the local cloud writes a policy's bindings, and nothing without them.");
}

/** The policy that takes the place of `stored`. Throws Google's refusal. */
export function nextPolicy(
  stored: Policy,
  bindings: readonly Binding[],
  etag: Uint8Array | undefined,
): Policy {
  if (etag && etag.length > 0 && !policyEtag(stored).equals(etag)) {
    throw new RpcError(
      status.ABORTED,
      'There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.',
    );
  }
  for (const { role, members } of bindings) {
    if (!rolePattern.test(role)) refuse(`Role ${role} is not supported for this resource.`);
    const unknown = members.find((member) => !memberPattern.test(member));
    if (unknown !== undefined) {
      refuse(`The member ${unknown} is of an unknown type. Please set a valid type prefix for the member.`);
    }
  }
  return { bindings: normal(bindings), version: Math.max(Date.now() * 1000, stored.version + 1) };
}

const rolePattern = /^(roles\/[\w.]{1,128}|(projects|organizations)\/[^/]+\/roles\/[\w.]{1,128})$/;
const memberPattern =
  /^(allUsers|allAuthenticatedUsers|(deleted:)?(user|serviceAccount|group):[^\s:@]+@[^\s@]+|domain:[^\s]+|principal(Set)?:\/\/[^\s]+)$/;

/** One binding a role, each member once, and none without members. */
function normal(bindings: readonly Binding[]): Binding[] {
  const members = Map.groupBy(bindings, ({ role }) => role);
  return [...members]
    .map(([role, same]) => ({ role, members: [...new Set(same.flatMap((each) => each.members))] }))
    .filter((binding) => binding.members.length > 0);
}

/** Does the policy open the service to everybody? */
export function isPublic(policy: Policy | undefined): boolean {
  return (policy?.bindings ?? []).some(
    ({ role, members }) => role === 'roles/run.invoker' && members.includes('allUsers'),
  );
}

function refuse(message: string): never {
  throw new RpcError(status.INVALID_ARGUMENT, message);
}
