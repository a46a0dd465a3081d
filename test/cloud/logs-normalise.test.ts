import fc from 'fast-check';
import { protobuf } from 'google-gax';
import { describe, expect, test } from 'vitest';
import { auditLogDecoder } from '../../src/cloud/audit-log.ts';
import { structToJson, toLogEntry, toRfc3339 } from '../../src/cloud/logs-normalise.ts';

type Value = Parameters<typeof structToJson>[0];

const decode = auditLogDecoder(protobuf);

function toStruct(json: object): Value {
  return { fields: Object.fromEntries(Object.entries(json).map(([key, value]) => [key, toValue(value)])) };
}

function toValue(json: unknown): object {
  if (json === null) return { nullValue: 'NULL_VALUE' };
  if (Array.isArray(json)) return { listValue: { values: json.map(toValue) } };
  if (typeof json === 'object') return { structValue: toStruct(json) };
  return { [`${typeof json}Value`.replace('boolean', 'bool')]: json };
}

describe('a Struct', () => {
  test('becomes the JSON it was made of', () => {
    const objects = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }));
    fc.assert(
      fc.property(objects, (json) => {
        expect(structToJson(toStruct(json), 0)).toEqual(json);
      }),
    );
  });

  test('that is nested without end is cut', () => {
    let struct: Value = toStruct({ end: true });
    for (let depth = 0; depth < 10_000; depth += 1) struct = { fields: { in: { structValue: struct } } };
    expect(JSON.stringify(structToJson(struct, 0))).toContain('…');
  });
});

test('timestamps sort as text', () => {
  const times = fc.record({ seconds: fc.nat(2e9), nanos: fc.nat(999_999_999) });
  fc.assert(
    fc.property(times, times, (a, b) => {
      const order = Math.sign(a.seconds - b.seconds || a.nanos - b.nanos);
      const [first, second] = [toRfc3339(a), toRfc3339(b)];
      expect(first < second ? -1 : Number(first > second)).toBe(order);
      expect(Math.floor(Date.parse(first) / 1000)).toBe(a.seconds);
    }),
  );
});

describe('an audit entry', () => {
  const typeUrl = 'type.googleapis.com/google.cloud.audit.AuditLog';
  /** Fields 2 (status), 8 (methodName) and one that is not known, as the wire has them. */
  const message = 'Ready condition status changed to False';
  const status = Buffer.concat([Buffer.from([0x12, message.length]), Buffer.from(message)]);
  const bytes = Buffer.concat([
    Buffer.from([0x12, status.length]),
    status,
    Buffer.from([0x42, 1, 0x6d, 0x1a, 1, 0x78]),
  ]);

  test('says what changed', () => {
    const entry = toLogEntry({ protoPayload: { type_url: typeUrl, value: bytes } }, decode);
    expect(entry.payload).toEqual({
      kind: 'proto',
      json: { '@type': typeUrl, status: { message }, methodName: 'm' },
    });
  });

  test.for([
    ['broken bytes', { type_url: typeUrl, value: Buffer.from([0x12, 99, 1]) }],
    ['another type', { type_url: 'type.googleapis.com/x', value: bytes }],
    ['nothing', {}],
  ] as const)('with %s keeps its type only', ([, any]) => {
    const { payload } = toLogEntry({ protoPayload: any }, decode);
    const typeOnly = { '@type': 'type_url' in any ? any.type_url : '' };
    expect(payload).toEqual({ kind: 'proto', json: typeOnly });
  });
});

test.for<[string, string]>([
  ['projects/p/logs/run.googleapis.com%2Fstdout', 'run.googleapis.com/stdout'],
  ['projects/p/logs/100%', '100%'],
  ['', ''],
])('the log of %s is %s', ([logName, log]) => {
  expect(toLogEntry({ logName }, decode)).toMatchObject({
    log,
    severity: 'DEFAULT',
    payload: { kind: 'none' },
  });
});
