import type { Method, Service } from 'protobufjs';
import { z } from 'zod';
import { type BoundFields, compileTemplate } from './path-template.ts';

/** One way to call a method over HTTP. */
export type Binding = {
  verb: string;
  /** As in the annotation. */
  template: string;
  match(path: string): BoundFields | undefined;
  /** The request's field that the body is; `*`: all that the path does not bind; nothing: there is no body. */
  body: string | undefined;
};

const verbs = ['get', 'put', 'post', 'delete', 'patch'] as const;
const ruleSchema = z.object({
  ...{ get: z.string().optional(), put: z.string().optional(), post: z.string().optional() },
  ...{ delete: z.string().optional(), patch: z.string().optional(), body: z.string().optional() },
});
type Rule = z.infer<typeof ruleSchema>;
const manyRules = z.union([z.array(ruleSchema), ruleSchema.transform((rule) => [rule])]);
const optionSchema = z.object({
  '(google.api.http)': ruleSchema.extend({ additional_bindings: manyRules.default([]) }).optional(),
});

/** Operations has rules of its own in each API: they stand in the API's service config, not in its protos. */
const operations: Readonly<Record<string, readonly Rule[]>> = {
  GetOperation: [
    { get: '/v1/{name=operations/**}' },
    { get: '/v1/{name=projects/*/locations/*/operations/*}' },
    { get: '/v2/{name=projects/*/locations/*/operations/*}' },
  ],
  ListOperations: [
    { get: '/v1/{name=projects/*/locations/*}/operations' },
    { get: '/v2/{name=projects/*/locations/*}/operations' },
  ],
  DeleteOperation: [{ delete: '/v2/{name=projects/*/locations/*/operations/*}' }],
  WaitOperation: [{ post: '/v2/{name=projects/*/locations/*/operations/*}:wait', body: '*' }],
  CancelOperation: [
    { post: '/v1/{name=operations/**}:cancel', body: '*' },
    { post: '/v1/{name=projects/*/locations/*/operations/*}:cancel', body: '*' },
  ],
};

/** From the method's `google.api.http` annotation. */
export function bindingsOf(service: Service, method: Method): Binding[] {
  const isOperations = service.fullName === '.google.longrunning.Operations';
  const rules = isOperations ? (operations[method.name] ?? []) : annotated(method);
  return rules.flatMap((rule) => {
    const verb = verbs.find((each) => rule[each] !== undefined);
    const template = verb && rule[verb];
    if (!template) return [];
    return [
      { verb: verb.toUpperCase(), template, match: compileTemplate(template), body: rule.body || undefined },
    ];
  });
}

function annotated({ parsedOptions }: Method): Rule[] {
  const options = z.array(optionSchema).parse(parsedOptions ?? []);
  return options.flatMap(({ '(google.api.http)': rule }) =>
    rule ? [rule, ...rule.additional_bindings] : [],
  );
}
