import { type ParserOptions, parse } from '@babel/parser';

/** An import that is made whenever the module is loaded; `names` are those it asks for, without type-only ones. */
export type Import = { specifier: string; line: number; names: string[] };

export type Module = {
  imports: Import[];
  /** What it exports by name; null when that cannot be told (CommonJS). */
  exports: { names: Set<string>; from: string[] } | null;
};

type Program = ReturnType<typeof parse>['program'];
type Statement = Program['body'][number];
type Of<T extends Statement['type']> = Extract<Statement, { type: T }>;

/**
 * The static imports of a module, `require`s that are surely run, and its exports. A dynamic import may stand where
 * nobody comes by; what is only in some function is not looked for. Throws a SyntaxError with its line.
 */
export function parseModule(path: string, text: string): Module {
  const { program } = parse(text, optionsFor(path));
  const statements = program.body;
  return { imports: statements.flatMap(importsOf), exports: exportsOf(statements) };
}

function optionsFor(path: string): ParserOptions {
  const typescript = /\.[cm]?tsx?$/.test(path);
  const jsx = !typescript || path.endsWith('x');
  return {
    sourceType: path.endsWith('.mjs') || path.endsWith('.mts') ? 'module' : 'unambiguous',
    attachComment: false,
    allowReturnOutsideFunction: true,
    allowAwaitOutsideFunction: true,
    plugins: [
      ...(typescript ? (['typescript', 'decorators-legacy'] as const) : (['flow', 'decorators'] as const)),
      ...(jsx ? (['jsx'] as const) : []),
    ],
  };
}

function importsOf(statement: Statement): Import[] {
  switch (statement.type) {
    case 'ImportDeclaration':
      return statement.importKind === 'type' || statement.importKind === 'typeof'
        ? []
        : [found(statement, statement.source.value, importedNames(statement))];
    case 'ExportAllDeclaration':
      return statement.exportKind === 'type' ? [] : [found(statement, statement.source.value, [])];
    case 'ExportNamedDeclaration':
      return statement.source && statement.exportKind !== 'type'
        ? [found(statement, statement.source.value, reexportedNames(statement))]
        : [];
    case 'TSImportEqualsDeclaration':
      return statement.moduleReference.type === 'TSExternalModuleReference' && statement.importKind !== 'type'
        ? [found(statement, statement.moduleReference.expression.value, [])]
        : [];
    case 'VariableDeclaration':
      return statement.declarations.flatMap(({ init }) => required(statement, init));
    case 'ExpressionStatement':
      return required(statement, statement.expression);
    default:
      return [];
  }
}

function found({ loc }: Statement, specifier: string, names: string[]): Import {
  return { specifier, line: loc?.start.line ?? 0, names };
}

function importedNames({ specifiers }: Of<'ImportDeclaration'>): string[] {
  return specifiers.flatMap((one) => {
    if (one.type === 'ImportDefaultSpecifier') return ['default'];
    if (one.type !== 'ImportSpecifier' || one.importKind === 'type' || one.importKind === 'typeof') return [];
    return [nameOf(one.imported)];
  });
}

function reexportedNames({ specifiers }: Of<'ExportNamedDeclaration'>): string[] {
  return specifiers.flatMap((one) =>
    one.type === 'ExportSpecifier' && one.exportKind !== 'type' ? [nameOf(one.local)] : [],
  );
}

function nameOf(node: { type: string; name?: string; value?: string }): string {
  return node.name ?? node.value ?? '';
}

type Expression = NonNullable<Of<'VariableDeclaration'>['declarations'][number]['init']>;
type Operand = Expression | { type: 'Super' | 'Import' | 'V8IntrinsicIdentifier' };

/** `require('x')`, and what is made of it at once: `require('x').y`, `require('x')(app)`, `new (require('x'))()`. */
function required(statement: Statement, expression: Operand | null | undefined): Import[] {
  switch (expression?.type) {
    case 'CallExpression': {
      const { callee, arguments: args } = expression;
      const [first] = args;
      if (callee.type === 'Identifier' && callee.name === 'require')
        return first?.type === 'StringLiteral' && args.length === 1
          ? [found(statement, first.value, [])]
          : [];
      return required(statement, callee);
    }
    case 'MemberExpression':
      return required(statement, expression.object);
    case 'AssignmentExpression':
      return required(statement, expression.right);
    case 'NewExpression':
      return required(statement, expression.callee);
    default:
      return [];
  }
}

function exportsOf(statements: readonly Statement[]): Module['exports'] {
  if (!statements.some(({ type }) => /^(Import|Export)/.test(type))) return null;
  const names = new Set<string>();
  const from: string[] = [];
  for (const statement of statements) {
    if (statement.type === 'ExportDefaultDeclaration') names.add('default');
    else if (statement.type === 'ExportAllDeclaration') from.push(statement.source.value);
    else if (statement.type === 'ExportNamedDeclaration') {
      for (const name of exportedNames(statement)) names.add(name);
    } else if (/^TSExport|^TSImportEquals/.test(statement.type)) return null;
  }
  return { names, from };
}

function exportedNames({ specifiers, declaration }: Of<'ExportNamedDeclaration'>): string[] {
  const own = specifiers.map((one) => nameOf(one.exported));
  if (!declaration) return own;
  if (declaration.type === 'VariableDeclaration')
    return [...own, ...declaration.declarations.flatMap(({ id }) => boundNames(id))];
  return 'id' in declaration && declaration.id ? [...own, nameOf(declaration.id)] : own;
}

type Pattern = Of<'VariableDeclaration'>['declarations'][number]['id'];
type Member = Extract<Pattern, { type: 'ObjectPattern' }>['properties'][number];
type Bound =
  | Pattern
  | Member
  | Extract<Pattern, { type: 'ArrayPattern' }>['elements'][number]
  | Extract<Member, { type: 'ObjectProperty' }>['value'];

/** The names that a pattern binds: `{ a, b: [c] }` gives a and c. */
function boundNames(pattern: Bound): string[] {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ArrayPattern':
      return pattern.elements.flatMap(boundNames);
    case 'ObjectPattern':
      return pattern.properties.flatMap(boundNames);
    case 'ObjectProperty':
      return boundNames(pattern.value);
    case 'AssignmentPattern':
      return boundNames(pattern.left);
    case 'RestElement':
      return boundNames(pattern.argument);
    default:
      return [];
  }
}
