import { z } from 'zod';
import { duration, list, map, oneOf, section, text, urlPath, whole } from '../text.ts';
import { attempts, common, scalar, stages } from './common.ts';
import { Latency } from './latency.ts';

const status = whole(100, 599);

export const HttpCheck = section({
  kind: z.literal('http').describe('One request and what must come back.'),
  ...common,
  stages: stages().default(['candidate', 'post']),
  timeout: duration().describe('How long one answer may take.').prefault('10s'),
  method: oneOf(['GET', 'HEAD', 'POST']).describe('The method.').default('GET'),
  path: urlPath().describe('The path, beginning with /.'),
  headers: map(z.string(), text('text: put it in quotes')).describe('Headers to send.').default({}),
  body: text().describe('A body to send.').exactOptional(),
  attempts: attempts(3),
  expect: section({
    status: z
      .union([status, list(status)], { error: 'a status such as 200, or a list of them' })
      .transform((typed) => (typeof typed === 'number' ? [typed] : typed))
      .describe('The status, or a list of allowed ones.')
      .prefault(200),
    json: map(z.string(), scalar)
      .describe('Dotted field of the JSON body → the value it must have.')
      .default({}),
    headers: map(z.string(), text()).describe('Header → text it must contain.').default({}),
    latency: Latency.exactOptional(),
  })
    .describe('What must come back.')
    .prefault({}),
}).describe('A request and what must come back.');
