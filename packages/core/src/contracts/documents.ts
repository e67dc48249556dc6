/**
 * Reads JSON and JSON Lines documents, each checked by one schema. Errors name the file, the line,
 * the key, the rule, what was got and what to do.
 */
import { z } from 'zod';
import { findFaults, findUnknownKey, formatFaults } from './check.js';
import { InputError } from './errors.js';
import { describeIssue } from './issue-words.js';
import { findLine, findTextFault } from './json-lines.js';

/** How a kind of document is read. */
export interface DocumentKind<T> {
  readonly schema: z.ZodType<T>;
  /** What to do when the document does not match. */
  readonly remedy?: string;
  /** Formats that are no longer supported, and what to do about each. */
  readonly older?: Readonly<Record<string, string>>;
  /** Creates the error to throw; default `InputError`. */
  readonly fail?: (message: string) => Error;
}
/** A line of a file, and the offset of the byte after it. */
export interface Line<T> {
  readonly value: T;
  readonly end: number;
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes); // drops the byte order mark

/**
 * Reads a JSON document; `where` names its file in errors. @throws InputError (or the error of
 * `fail`) when it does not match.
 */
export function readDocument<T>(bytes: Uint8Array, where: string, kind: DocumentKind<T>): T {
  const text = decode(bytes);
  const refuse = (problem: string): Error => failure(`${where}: ${problem}`, kind);
  const fault = findTextFault(text);
  if (fault !== undefined) throw refuse(fault);
  const value = parseJson(text, refuse);
  return checkDocument(value, where, kind, text);
}

/** Checks an already parsed document; `text` is its source, used to find line numbers. @throws as `readDocument`. */
export function checkDocument<T>(
  value: unknown,
  where: string,
  kind: DocumentKind<T>,
  text?: string,
): T {
  const result = parseValue(value, kind.schema);
  if ('value' in result) return result.value;
  checkFormat(value, where, kind);
  const { path, problem } = result;
  const line = text === undefined ? undefined : findLine(text, path);
  throw failure(`${where}: ${line === undefined ? '' : `line ${line}: `}${problem}`, kind);
}

/** @throws InputError when the document has an older format that is no longer supported. */
function checkFormat<T>(value: unknown, where: string, { older = {} }: DocumentKind<T>): void {
  if (typeof value !== 'object' || value === null || !('format' in value)) return;
  const remedy = new Map(Object.entries(older)).get(String(value.format));
  if (remedy !== undefined)
    throw new InputError(
      `${where}: has the format "${value.format}", which is too old; ${remedy}`,
      {
        code: 'old-format',
        data: { format: value.format },
      },
    );
}

/**
 * Reads the complete lines of a file and drops a partial last line, as a killed process leaves it.
 * @throws as `readDocument`, naming the line.
 */
export function readLines<T>(
  bytes: Uint8Array,
  where: string,
  kind: DocumentKind<T>,
): readonly Line<T>[] {
  const out: Line<T>[] = [];
  for (let start = 0, end = 0; ; start = end) {
    end = bytes.indexOf(10, start) + 1;
    if (end === 0) return out;
    const at = `${where}: line ${out.length + 1}`;
    const text = decode(bytes.subarray(start, end));
    const result = parseValue(
      parseJson(text, () => failure(`${at} is not JSON`, kind)),
      kind.schema,
    );
    if ('problem' in result) throw failure(`${at}: ${result.problem}`, kind);
    out.push({ value: result.value, end });
  }
}

function parseJson(text: string, refuse: (problem: string) => Error): unknown {
  let proto = false;
  let value: unknown;
  try {
    value = JSON.parse(text, (key, inner) => {
      proto ||= key === '__proto__';
      return inner;
    });
  } catch (error) {
    throw refuse(`must be JSON (${error instanceof Error ? error.message.split('\n')[0] : error})`);
  }
  // Merged into another object, it would become that object's prototype.
  if (proto) throw refuse('"__proto__" cannot be used as a name; choose another');
  return value;
}

function parseValue<T>(
  value: unknown,
  schema: z.ZodType<T>,
): { readonly value: T } | { readonly path: readonly string[]; readonly problem: string } {
  const { success, data, error } = schema.safeParse(value, { error: describeIssue });
  if (success) return { value: data };
  const faults = findFaults(error.issues, value);
  // A document of another format needs no further errors.
  const format = faults.find(({ path }) => path[0] === 'format');
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const unknown = format === undefined ? findUnknownKey(json, value, 'key') : undefined;
  const messages = [format ?? unknown ?? faults].flat();
  return {
    path: messages[0]?.path ?? [],
    problem: formatFaults(messages, 'key'),
  };
}

function failure<T>(problem: string, { remedy, fail }: DocumentKind<T>): Error {
  const message = remedy === undefined ? problem : `${problem}; ${remedy}`;
  return fail === undefined ? new InputError(message, { code: 'bad-document' }) : fail(message);
}
