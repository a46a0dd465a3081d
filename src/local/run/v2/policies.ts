import { status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { RpcError, unary } from '../../grpc.ts';
import type { RunModel } from '../model.ts';
import { parseServiceName } from '../names.ts';
import { checkPolicyMask, type Policy, policyEtag } from '../policy.ts';

type BindingMessage = { role?: string; members?: string[]; condition?: object };
type PolicyMessage = { bindings?: BindingMessage[]; etag?: Uint8Array; auditConfigs?: object[] };
type SetRequest = { resource?: string; policy?: PolicyMessage; updateMask?: { paths?: string[] } };
type TestRequest = { resource?: string; permissions?: string[] };

/** google.iam.v1 of a service, as its two APIs have it. Whoever reaches the local cloud may do everything. */
export function policyMethods(model: RunModel): UntypedServiceImplementation {
  return {
    GetIamPolicy: unary(({ resource = '' }: { resource?: string }) =>
      renderPolicy(model.policy(parseServiceName(resource, 'resource'))),
    ),
    SetIamPolicy: unary(async ({ resource = '', policy = {}, updateMask }: SetRequest) => {
      checkPolicyMask(updateMask?.paths ?? []);
      const { bindings = [], etag, auditConfigs = [] } = policy;
      if (auditConfigs.length > 0) refuse('policy.auditConfigs');
      if (bindings.some(({ condition }) => condition)) refuse('policy.bindings.condition');
      const asked = bindings.map(({ role = '', members = [] }) => ({ role, members }));
      return renderPolicy(await model.setPolicy(parseServiceName(resource, 'resource'), asked, etag));
    }),
    TestIamPermissions: unary(({ resource = '', permissions = [] }: TestRequest) => {
      parseServiceName(resource, 'resource');
      // Everybody may everything here; clients ask before the service exists, when the project's permissions hold.
      return { permissions };
    }),
  };
}

/** `google.iam.v1.Policy`; without bindings it has no version, as at Google. */
function renderPolicy(policy: Policy) {
  const { bindings } = policy;
  return { ...(bindings.length > 0 && { version: 1, bindings }), etag: policyEtag(policy) };
}

function refuse(field: string): never {
  throw new RpcError(status.UNIMPLEMENTED, `${field}: the local cloud does not support this field.`);
}
