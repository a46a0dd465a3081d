import type { protobuf } from 'google-gax';
import type { AnyDecoder } from './logs-normalise.ts';

/** The fields of `google.cloud.audit.AuditLog` that a deploy is explained by; the others are skipped. */
const auditLog = {
  nested: {
    AuditLog: {
      fields: {
        status: { type: 'Status', id: 2 },
        serviceName: { type: 'string', id: 7 },
        methodName: { type: 'string', id: 8 },
        resourceName: { type: 'string', id: 11 },
      },
    },
    Status: { fields: { code: { type: 'int32', id: 1 }, message: { type: 'string', id: 2 } } },
  },
};

/** Over gRPC an audit entry's payload is bytes, and the client has no type for them. */
export function auditLogDecoder(library: typeof protobuf): AnyDecoder {
  let type: protobuf.Type | undefined;
  return (any) => {
    // proto-loader spells the fields of Any as the proto does, the client's types in camelCase.
    const typeUrl = String(any.type_url ?? '');
    if (!typeUrl.endsWith('/google.cloud.audit.AuditLog')) return { '@type': typeUrl };
    type ??= library.Root.fromJSON(auditLog).lookupType('AuditLog');
    try {
      const bytes = typeof any.value === 'string' ? Buffer.from(any.value, 'base64') : any.value;
      return { '@type': typeUrl, ...type.toObject(type.decode(bytes ?? new Uint8Array())) };
    } catch {
      return { '@type': typeUrl };
    }
  };
}
