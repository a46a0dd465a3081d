import { expect, test } from 'vitest';
import { type DatedNote, type SchemaNote, schemaRisks } from '../../src/plan/schema-note.ts';

const made = (day: number, schema: SchemaNote | null): DatedNote => ({
  at: `2026-01-0${day}T00:00:00Z`,
  schema,
});
const breaking = (version: string): SchemaNote => ({
  version,
  note: `drops ${version}`,
  backwardsCompatible: false,
});

const none = made(1, null);
const ten = made(2, { version: '10' });
const eleven = made(3, breaking('11'));
const elevenAgain = made(4, breaking('11'));
const twelve = made(5, { version: '12', backwardsCompatible: true });
const thirteen = made(6, breaking('13'));
const every = [thirteen, twelve, elevenAgain, eleven, ten, none];

test.each<[string, DatedNote, DatedNote, string[]]>([
  ['behind a breaking change', ten, eleven, ['11']],
  ['behind two', none, thirteen, ['11', '13']],
  ['within one version', eleven, elevenAgain, []],
  ['behind a compatible one', elevenAgain, twelve, []],
  ['the breaking one lies between, not at the end', ten, twelve, ['11']],
  ['to a newer revision', thirteen, ten, []],
  ['nothing is declared', none, ten, []],
])('%s', (_, target, current, versions) => {
  expect(schemaRisks(target, current, every).map(({ version }) => version)).toEqual(versions);
});

test('what was declared before the target, or after what serves, is not gone behind', () => {
  expect(schemaRisks(twelve, twelve, every)).toEqual([]);
  expect(schemaRisks(elevenAgain, twelve, [eleven, thirteen])).toEqual([]);
});
