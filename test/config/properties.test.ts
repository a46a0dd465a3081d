import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isValues, merge, valueAt } from '../../src/config/merge.ts';
import { fill, holdsPlaceholder } from '../../src/config/placeholders.ts';
import { parse, problemsOf, withService } from './parse.ts';

const sections = ['', 'container', 'build', 'startup', 'rollout', 'e2e'];
const unknownKeys = fc.uniqueArray(
  fc.tuple(fc.constantFrom(...sections), fc.stringMatching(/^q[a-z]{1,6}$/)),
  { selector: ([section, key]) => `${section}.${key}`, maxLength: 12 },
);

test('unknown keys make one problem each, wherever they stand, each at its own place', () => {
  fc.assert(
    fc.property(unknownKeys, (keys) => {
      const lines = sections.map((section) => {
        const own = keys.filter(([of]) => of === section).map(([, key]) => key);
        if (section === '') return own.map((key) => `${key}: 1`).join('\n');
        return `${section}: { ${own.map((key) => `${key}: 1`).join(', ')} }`;
      });
      const problems = problemsOf(() => parse(withService(lines.filter(Boolean).join('\n'))));
      expect(problems.map(({ path }) => path).sort()).toEqual(
        keys.map(([section, key]) => ['services', 'chat', section, key].filter(Boolean).join('.')).sort(),
      );
      expect(new Set(problems.map(({ line, column }) => `${line}:${column}`)).size).toBe(keys.length);
    }),
  );
});

const plain = fc.string().filter((text) => !holdsPlaceholder(text) && !text.endsWith('$'));
const variable = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/);

test('a placeholder is filled with exactly its variable, or is an error', () => {
  fc.assert(
    fc.property(
      plain,
      variable,
      fc.option(fc.string(), { nil: undefined }),
      plain,
      (before, name, value, after) => {
        const typed = `${before}\${${name}}${after}`;
        const { value: filled, unfilled } = fill({ text: typed }, {}, { [name]: value });
        expect(valueAt(filled, ['text'])).toBe(value === undefined ? typed : `${before}${value}${after}`);
        expect(unfilled).toEqual(
          value === undefined
            ? [{ path: ['text'], message: `the environment variable ${name} is not set` }]
            : [],
        );
      },
    ),
  );
});

test('an escaped placeholder comes out as typed, whatever is set', () => {
  fc.assert(
    fc.property(variable, fc.string(), (name, value) => {
      expect(fill(`$\${${name}}`, {}, { [name]: value })).toEqual({ value: `\${${name}}`, unfilled: [] });
    }),
  );
});

const tree = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    fc.string(),
    fc.integer(),
    fc.array(fc.integer(), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-c]$/), tie('tree')),
  ),
})).tree;

test('merging with itself or with nothing changes nothing; what an override types wins; null removes', () => {
  fc.assert(
    fc.property(tree, tree, (base, override) => {
      expect(merge(base, undefined)).toEqual(base);
      expect(merge(base, base)).toEqual(base);
      const merged = merge(base, override);
      expect(merge(merged, override)).toEqual(merged);
      if (isValues(merged)) expect(merge(merged, { a: null })).not.toHaveProperty('a');
    }),
  );
});
