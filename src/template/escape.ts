// html, js and urlquery: https://pkg.go.dev/text/template#hdr-Functions
import { bytesOf, inChunks } from './bytes.js';
import { isPrint } from './quote.js';

const HTML: Readonly<Record<string, string>> = {
  '\u0000': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

export const escapeHtml = (text: string): string =>
  inChunks(text, chunk => chunk.replace(/[\u0000"'&<>]/g, found => HTML[found]!));

export const escapeJs = (text: string): string =>
  inChunks(text, chunk => chunk.replace(/[\u0000-\u001f\\'"<>&=]|[^\u0000-\u007f]/gu, escapedJs));

function escapedJs(found: string): string {
  if (/[\\'"]/.test(found)) return `\\${found}`;
  // A byte that is no text is shown as what stands for it.
  if (/\p{Surrogate}/u.test(found)) return '\ufffd';
  const code = found.codePointAt(0)!;
  return code >= 0x80 && isPrint(found) ? found : `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

export const escapeQuery = (text: string): string =>
  inChunks(text, chunk => chunk.replace(/[^A-Za-z0-9_.~-]/gu, escapedQuery));

function escapedQuery(found: string): string {
  if (found === ' ') return '+';
  const hex = Buffer.from(bytesOf(found)).toString('hex').toUpperCase();
  return hex.replace(/../g, '%$&');
}
