/** The head that pages on disk share: no request leaves them, and only the script that is named runs. */
import { html } from './grid.js';

/** `<!doctype html>` to `</head>`; `script` is a CSP source such as `'sha256-…'`, and without it no script runs. */
export function pageHead(title: string, style: string, script?: string): string {
  const scripts = script === undefined ? '' : ` script-src ${script};`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';${scripts} style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${html(title)}</title>
<style>
${style}
</style>
</head>`;
}
