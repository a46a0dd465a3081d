import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resolveTarget } from '../../src/config/resolve.ts';
import { parse, problemsOf } from './parse.ts';

const sample = readFileSync(new URL('../../templates/chat/sluice.yaml', import.meta.url), 'utf8');

/** Either every environment resolves, or problems with places say why; anything else is thrown on. */
function judge(text: string): void {
  const problems = problemsOf(() => {
    const config = parse(text);
    for (const environment of config.environments) resolveTarget(config, { environment });
  });
  for (const { line, column, message } of problems) {
    expect(Math.min(line, column)).toBeGreaterThan(0);
    expect(message).not.toBe('');
  }
}

test('any text ends in targets or in problems with a place', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), judge));
});

const odd = fc.oneof(
  fc.constantFrom(
    '',
    '~',
    '{',
    '[',
    '- ',
    '*x',
    '&x ',
    '!!binary ',
    '${',
    `\${X}`,
    '{env}',
    '<<: *x',
    '\n',
    '\t',
    '"',
    ': ',
  ),
  fc.string({ maxLength: 5 }),
);

test('the sample with a piece of it replaced, too', () => {
  fc.assert(
    fc.property(fc.nat(sample.length), fc.nat(40), odd, (from, length, piece) => {
      judge(sample.slice(0, from) + piece + sample.slice(from + length));
    }),
    { numRuns: 300 },
  );
});

const names = [
  'chat',
  'env',
  'container',
  'startup',
  'checklist',
  'e2e',
  'services',
  'secrets',
  'rollout',
  'constructor',
];
const shape = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<unknown>(null, 1, -1.5, true, '', 'x', '{env}', `\${X}`, '5s', [], {}),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names), tie('any'), { maxKeys: 4 }),
  ),
})).any;

test('any shape of values, too', () => {
  fc.assert(
    fc.property(shape, shape, shape, (service, environment, override) => {
      const place = { project: 'p', region: 'r', services: { chat: override } };
      judge(
        JSON.stringify({ services: { chat: service }, environments: { staging: place, other: environment } }),
      );
    }),
    { numRuns: 300 },
  );
});
