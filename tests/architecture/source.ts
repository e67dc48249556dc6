/** Parses what a source file imports and which globals it uses, with the oxc parser in vitest. */
import { parseAst } from 'vitest/node';

/** One import, re-export, dynamic import or import type. */
export interface Import {
  readonly from: string;
  /** `static` is loaded with the file, `dynamic` on demand, `type` never. */
  readonly how: 'static' | 'dynamic' | 'type';
  /** Imported names; empty for a bare import, a namespace or a dynamic import. */
  readonly names: readonly string[];
}
/** A value in an object literal: a string literal, the name of a constant, or something else. */
interface Value {
  readonly literal?: string | undefined;
  readonly name?: string | undefined;
}
/** What the rules need to know about a code file. */
export interface Source {
  readonly imports: readonly Import[];
  /** Names that are used but not declared in the file. */
  readonly globals: ReadonlySet<string>;
  /** Names checked with `typeof`, for code that runs with and without them. */
  readonly detected: ReadonlySet<string>;
  readonly hasExports: boolean;
  /** Every object literal as a map of its plain keys. */
  readonly objects: readonly ReadonlyMap<string, Value>[];
  /** Constants that hold a string literal. */
  readonly constants: ReadonlyMap<string, string>;
}

type Node = { readonly type: string; readonly [key: string]: unknown };
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
const listChildren = (node: Node): Node[] => Object.values(node).flat().filter(isNode);
const readName = (node: unknown): string =>
  isNode(node) ? String(node.name ?? node.value ?? '') : '';

const cache = new Map<string, Source>();

/** Parses a TypeScript or JavaScript file; each text is parsed once. */
export function parseSource(path: string, text: string): Source {
  const key = `${path}\n${text}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const lang = /\.[cm]?ts$/.test(path) ? 'ts' : /\.tsx$/.test(path) ? 'tsx' : 'js';
  const nodes = readNodes(parse(path, text, lang));
  const constants = nodes.flatMap((node): [string, string][] => {
    if (node.type !== 'VariableDeclarator') return [];
    const { literal } = readLiteral(node.init);
    return literal === undefined ? [] : [[readName(node.id), literal]];
  });
  const declared = new Set<string>();
  for (const pattern of nodes.flatMap(declarationsIn)) namesIn(pattern, declared);
  const used = nodes.filter(({ type }) => type === 'Identifier').map(readName);
  const result = {
    imports: nodes.flatMap((node) => readImport(node) ?? []),
    globals: new Set(used.filter((name) => !declared.has(name))),
    detected: new Set(
      nodes
        .filter(({ type, operator }) => type === 'UnaryExpression' && operator === 'typeof')
        .map(({ argument }) => readName(argument)),
    ),
    hasExports: nodes.some(({ type }) => type.startsWith('Export')),
    objects: nodes.filter(({ type }) => type === 'ObjectExpression').map(readEntries),
    constants: new Map(constants),
  };
  cache.set(key, result);
  return result;
}

/** A node and its descendants, parents first, without identifiers that are only property names. */
function readNodes(root: Node): Node[] {
  const nodes: Node[] = [];
  const visit = (node: Node): void => {
    nodes.push(node);
    for (const child of listChildren(node)) if (isRead(node, child)) visit(child);
  };
  visit(root);
  return nodes;
}

function parse(path: string, text: string, lang: 'ts' | 'tsx' | 'js'): Node {
  try {
    return parseAst(text, { lang }) as unknown as Node;
  } catch (cause) {
    throw new Error(`${path}: cannot be parsed`, { cause });
  }
}

function readImport(node: Node): Import | undefined {
  const from = isNode(node.source) ? node.source.value : undefined;
  if (typeof from !== 'string') return undefined;
  const specifiers = (node.specifiers ?? []) as Node[];
  const names = specifiers
    .map((s) => readName(s.imported ?? s.local))
    .filter((name) => name !== '');
  if (node.type === 'TSImportType') return { from, how: 'type', names };
  if (node.type === 'ImportExpression') return { from, how: 'dynamic', names };
  const kind = node.importKind ?? node.exportKind;
  const typeOnly =
    kind === 'type' ||
    (specifiers.length > 0 &&
      specifiers.every((s) => s.importKind === 'type' || s.exportKind === 'type'));
  return { from, how: typeOnly ? 'type' : 'static', names };
}

function readLiteral(node: unknown): Value {
  if (!isNode(node)) return {};
  if (node.type === 'Identifier') return { name: readName(node) };
  return typeof node.value === 'string' ? { literal: node.value } : {};
}

function readEntries(node: Node): Map<string, Value> {
  const entries = new Map<string, Value>();
  for (const property of listChildren(node)) {
    if (property.type !== 'Property' || property.computed === true) continue;
    entries.set(readName(property.key), readLiteral(property.value));
  }
  return entries;
}

/** False for an identifier that is only a property name, as in `a.process` or `{ process: 1 }`. */
function isRead(parent: Node, child: Node): boolean {
  if (child.type !== 'Identifier') return true;
  if (parent.type === 'MemberExpression') return child !== parent.property || !!parent.computed;
  if (/^(Property|MethodDefinition|PropertyDefinition)$/.test(parent.type))
    return child !== parent.key || !!parent.computed || !!parent.shorthand;
  if (/^(Import|Export).*Specifier$|Labeled|Break|Continue|MetaProperty/.test(parent.type))
    return false;
  // Type-only nodes never run; these wrap an expression that does.
  if (parent.type.startsWith('TS')) return child === parent.expression;
  return true;
}

function declarationsIn(node: Node): unknown[] {
  const own = [
    node.type === 'VariableDeclarator' || /^(Function|Class)/.test(node.type) ? node.id : 0,
  ];
  if (/Import.*Specifier$/.test(node.type)) own.push(node.local);
  if (node.type === 'CatchClause') own.push(node.param);
  if (/Function/.test(node.type)) own.push(...((node.params ?? []) as unknown[]));
  return own;
}

function namesIn(pattern: unknown, into: Set<string>): void {
  if (!isNode(pattern)) return;
  if (pattern.type === 'Identifier') into.add(readName(pattern));
  else if (pattern.type === 'AssignmentPattern') namesIn(pattern.left, into);
  else if (pattern.type === 'Property') namesIn(pattern.value, into);
  else if (/^(ObjectPattern|ArrayPattern|RestElement|TSParameterProperty)$/.test(pattern.type))
    for (const child of listChildren(pattern)) namesIn(child, into);
}
