/** Text that came from a file or a name, made safe to show: it moves no cursor, turns no line around and breaks no document. */

/** Control characters but tab and newline, and those that change the direction of text (Trojan Source, CVE-2021-42574). */
const CONTROL = /(?![\t\n])\p{Cc}|\p{Bidi_Control}|[\u2028\u2029]/gu;

/** The text with each control character as JSON writes it, such as `\u001b`; JSON stays equal JSON. */
export function printable(text: string): string {
  return text.replace(CONTROL, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
