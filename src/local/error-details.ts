import { Metadata } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

/** What a failed call says beside its sentence; source: google/rpc/error_details.proto. */
export type ErrorDetail = {
  kind: 'BadRequest';
  fieldViolations: { field: string; description: string }[];
};

const urlOf = (kind: ErrorDetail['kind']) => `type.googleapis.com/google.rpc.${kind}`;

/** As it stands in `error.details` of a JSON answer. */
export function detailJson({ kind, ...fields }: ErrorDetail): object {
  return { '@type': urlOf(kind), ...fields };
}

const string = (id: number) => ({ type: 'string', id });
const messages = protobuf.Root.fromJSON({
  nested: {
    Any: { fields: { type_url: string(1), value: { type: 'bytes', id: 2 } } },
    Status: {
      fields: {
        code: { type: 'int32', id: 1 },
        message: string(2),
        details: { rule: 'repeated', type: 'Any', id: 3 },
      },
    },
    BadRequest: { fields: { fieldViolations: { rule: 'repeated', type: 'FieldViolation', id: 1 } } },
    FieldViolation: { fields: { field: string(1), description: string(2) } },
  },
});

/** The same as gRPC sends it: a `google.rpc.Status` in the trailers. */
export function detailTrailers(code: number, message: string, details: readonly ErrorDetail[]): Metadata {
  const encode = (type: string, value: object) => {
    const known = messages.lookupType(type);
    return Buffer.from(known.encode(known.fromObject(value)).finish());
  };
  const packed = details.map(({ kind, ...fields }) => ({
    type_url: urlOf(kind),
    value: encode(kind, fields),
  }));
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', encode('Status', { code, message, details: packed }));
  return metadata;
}
