import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configJsonSchema } from '../../src/config/json-schema.ts';

const file = new URL('../../sluice.schema.json', import.meta.url);
const generated = `${JSON.stringify(configJsonSchema(), null, 2)}\n`;

// UPDATE_SCHEMA=1 writes it anew.
test('sluice.schema.json is what the schema generates', () => {
  if (process.env['UPDATE_SCHEMA'] === '1') writeFileSync(file, generated);
  expect(readFileSync(file, 'utf8')).toBe(generated);
});

type Node = { description?: string; properties?: Record<string, Node> } & Record<string, unknown>;

/** Keys without a description, by their path. */
function unexplained(node: Node, path = ''): string[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, value]) =>
    describes(value) ? [] : [`${path}.${key}`],
  );
  const inner = Object.entries(node).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null ? unexplained(value as Node, `${path}.${key}`) : [],
  );
  return [...own, ...inner];
}

/** A property may carry its text on the shape that it is made of. */
function describes(node: Node): boolean {
  if (typeof node.description === 'string') return true;
  return [node['anyOf'], node['allOf'], node['oneOf']].some(
    (options) => Array.isArray(options) && options.some(describes),
  );
}

test('every key teaches', () => {
  expect(unexplained(JSON.parse(generated))).toEqual([]);
});
