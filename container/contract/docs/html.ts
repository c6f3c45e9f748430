/** Pieces of HTML that the pages are made of. */

export const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Backticks become code, as in the descriptions. */
export const prose = (text: string): string => escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

export const code = (text: string): string => `<code>${escape(text)}</code>`;

export const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');

/** Rows of cells that are HTML already. */
export const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="wide"><table><tr>${head.map((name) => `<th>${name}</th>`).join('')}</tr>${rows
    .map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
    .join('')}</table></div>`;
