import type { protobuf } from 'google-gax';
import type { Wanted } from './api-methods.ts';

type Json = protobuf.INamespace;
type Node = protobuf.AnyNestedObject;

/** The part of a proto file, in protobufjs's JSON form, that these methods need. Pure. */
export function reachableFrom(json: Json, wanted: Wanted): Json {
  const all = new Map<string, Node>();
  index(json, '', all);
  for (const [service, methods] of Object.entries(wanted)) keepMethods(all, service, methods);
  const kept = new Map<string, Node>();
  const open = Object.keys(wanted).filter((name) => all.has(name));
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = all.get(name);
    if (kept.has(name) || node === undefined) continue;
    kept.set(name, node);
    for (const reference of referencesOf(node)) {
      const found = resolve(reference, name, all);
      if (found !== undefined) open.push(found);
    }
  }
  return { ...json, nested: keep(json.nested ?? {}, '', kept) };
}

function index(parent: Json, prefix: string, into: Map<string, Node>): void {
  for (const [name, node] of Object.entries(parent.nested ?? {})) {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    into.set(path, node);
    if ('nested' in node) index(node, path, into);
  }
}

function keepMethods(all: Map<string, Node>, service: string, wanted: readonly string[]): void {
  const node = all.get(service);
  if (node === undefined || !('methods' in node)) return;
  const methods = Object.entries(node.methods).filter(([name]) => wanted.includes(name));
  all.set(service, { ...node, methods: Object.fromEntries(methods) });
}

/** What a long-running operation of a method carries is named in the method's options only. */
const operationTypes = [
  '(google.longrunning.operation_info).response_type',
  '(google.longrunning.operation_info).metadata_type',
];

function referencesOf(node: Node): string[] {
  if ('methods' in node) {
    return Object.values(node.methods).flatMap(({ requestType, responseType, options = {} }) => [
      requestType,
      responseType,
      ...operationTypes.flatMap((option) => (typeof options[option] === 'string' ? [options[option]] : [])),
    ]);
  }
  return 'fields' in node ? Object.values(node.fields).map(({ type }) => type) : [];
}

/** A name as protobuf looks it up: from the innermost scope outwards. Scalar types resolve to nothing. */
function resolve(reference: string, from: string, all: ReadonlyMap<string, Node>): string | undefined {
  if (reference.startsWith('.')) return all.has(reference.slice(1)) ? reference.slice(1) : undefined;
  const scope = from.split('.');
  for (; scope.length > 0; scope.pop()) {
    const path = [...scope, reference].join('.');
    if (all.has(path)) return path;
  }
  return all.has(reference) ? reference : undefined;
}

/** A message keeps the place it is nested in, with nothing else in it. */
function keep(
  nested: Record<string, Node>,
  prefix: string,
  kept: ReadonlyMap<string, Node>,
): Record<string, Node> {
  return Object.fromEntries(
    Object.entries(nested).flatMap(([name, node]): [string, Node][] => {
      const path = prefix === '' ? name : `${prefix}.${name}`;
      const inside = 'nested' in node ? keep(node.nested ?? {}, path, kept) : {};
      const own = kept.get(path) ?? node;
      if (!kept.has(path) && Object.keys(inside).length === 0) return [];
      return [[name, 'nested' in own ? { ...own, nested: inside } : own]];
    }),
  );
}
