/** Names chosen by code: declarations, and the keys of types, classes and objects. */
import { type Node, parse, walk } from '../../scripts/measure/sources.mjs';

export interface ChosenName {
  readonly name: string;
  readonly line: number;
  /** Whether it names a function. */
  readonly isFunction: boolean;
}

/** Every name that a file declares; names that it only uses, such as `tf.gather`, do not count. */
export function readChosenNames(path: string, text: string): ChosenName[] {
  const found = new Map<number, ChosenName>();
  const add = (node: unknown, isFunction = false): void => {
    for (const { name, start } of listBindings(node)) {
      const line = text.slice(0, start).split('\n').length;
      found.set(start, {
        name,
        line,
        isFunction: isFunction || found.get(start)?.isFunction === true,
      });
    }
  };
  walk(parse(path, text).program, (node) => {
    if (node.type === 'VariableDeclarator') add(node.id, isFunction(node.init));
    else if (/^(Function|Class|TSInterface|TSTypeAlias|TSEnum)/.test(node.type))
      add(node.id, /^F/.test(node.type));
    else if (
      /^(TSPropertySignature|TSMethodSignature|MethodDefinition|PropertyDefinition)$/.test(
        node.type,
      )
    )
      add(node.key);
    if (node.params !== undefined) for (const each of [node.params].flat()) add(each);
  });
  return [...found.values()];
}

function isFunction(node: Node | null | undefined): boolean {
  return node?.type === 'ArrowFunctionExpression' || node?.type === 'FunctionExpression';
}

/** Identifiers that a pattern binds. */
function listBindings(pattern: unknown): { name: string; start: number }[] {
  const node = pattern as Node | null | undefined;
  switch (node?.type) {
    case 'Identifier':
      return [{ name: node.name, start: node.start }];
    case 'ObjectPattern':
      return node.properties.flatMap((each: Node) => listBindings(each.value ?? each.argument));
    case 'ArrayPattern':
      return node.elements.flatMap(listBindings);
    case 'AssignmentPattern':
      return listBindings(node.left);
    case 'RestElement':
      return listBindings(node.argument);
    case 'TSParameterProperty':
      return listBindings(node.parameter);
    default:
      return [];
  }
}
