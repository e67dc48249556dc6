/** Makes text from files and names safe to print: it cannot move the cursor, reverse text direction or break a document. */

/** Control characters except tab and newline, and those that change text direction (Trojan Source, CVE-2021-42574). */
const CONTROL = /(?![\t\n])\p{Cc}|\p{Bidi_Control}|[\u2028\u2029]/gu;

/** Escapes each control character as JSON does, such as `\u001b`; JSON text keeps its meaning. */
export function printable(text: string): string {
  return text.replace(CONTROL, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
