/** Checks `FEATURES.md`: each row names an existing file and the test that proves it. */
import { tableRows } from './markdown.js';

const STATUS = ['done', 'partial', 'open'];

/** Faults of the table, one line each; `read` returns a file's text, or undefined. */
export function featureFaults(
  markdown: string,
  read: (path: string) => string | undefined,
): string[] {
  const rows = tableRows(markdown);
  if (rows.length === 0) return ['FEATURES.md: has no rows'];
  return rows.flatMap(([claim = '', file = '', proof = '', status = '', ...more]) => {
    const fault = (what: string): string => `FEATURES.md, "${claim}": ${what}`;
    if (more.length > 0 || !STATUS.includes(status))
      return [fault(`write claim | file | test | status, the status one of ${STATUS.join(', ')}`)];
    if (status === 'open') return [];
    return [...cellFaults(file, 'file', read), ...cellFaults(proof, 'test', read)].map(fault);
  });
}

function cellFaults(
  cell: string,
  what: 'file' | 'test',
  read: (path: string) => string | undefined,
): string[] {
  const paths = [...cell.matchAll(/`([^`]+)`(?: "([^"]+)")?/g)];
  if (paths.length === 0) return [`names no ${what}`];
  return paths.flatMap(([, path = '', title]) => {
    const text = read(path);
    if (text === undefined) return [`there is no ${path}`];
    return title === undefined || text.includes(title) ? [] : [`${path} has no test "${title}"`];
  });
}
