/** `FEATURES.md` promises nothing that is not there: each row names its file and the test that proves it. */
import { tableRows } from './markdown.js';

const STATUS = ['done', 'partial', 'open'];

/** What is wrong with the table, one line each; `read` gives a file's text, or undefined. */
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
    const faults: string[] = [];
    for (const [cell, what] of [
      [file, 'file'],
      [proof, 'test'],
    ] as const) {
      const paths = [...cell.matchAll(/`([^`]+)`(?: "([^"]+)")?/g)];
      if (paths.length === 0) faults.push(fault(`names no ${what}`));
      for (const [, path = '', title] of paths) {
        const text = read(path);
        if (text === undefined) faults.push(fault(`there is no ${path}`));
        else if (title !== undefined && !text.includes(title))
          faults.push(fault(`${path} has no test "${title}"`));
      }
    }
    return faults;
  });
}
