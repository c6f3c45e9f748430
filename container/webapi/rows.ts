/**
 * `chart/get` and `tick/history` answer arrays of arrays of bare numbers, up to 16 MB (mt5-webapi §3.5). Parsing that
 * as JSON would make a float of every price; here the text of each number is cut out as it is.
 */
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The rows of the first array of arrays in the answer. @throws Error where the text is not of that form */
export function numberRows(bytes: Uint8Array): readonly (readonly string[])[] {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  const head = /^\s*\{\s*(?:"retcode"\s*:\s*(?:"(?:[^"\\]|\\.)*"|\d+)\s*,?\s*)?(?:"answer"\s*:\s*)?/i.exec(text);
  if (!head) throw new Error('not an answer');
  const tail = text.trimEnd();
  if (!tail.endsWith('}')) throw new Error('the answer is cut short');
  const body = tail.slice(head[0].length, -1).trim();
  // No `answer` at all, or an empty one.
  if (body === '' || body === '[]' || body === 'null' || body === '""') return [];
  if (!body.startsWith('[') || !body.endsWith(']')) throw new Error('not an array of rows');
  const rows: (readonly string[])[] = [];
  let at = 1;
  const end = body.length - 1;
  while (at < end) {
    const open = body.indexOf('[', at);
    if (open < 0) break;
    const close = body.indexOf(']', open);
    if (close < 0 || close >= end || /[^\s,]/.test(body.slice(at, open))) throw new Error('not an array of rows');
    rows.push(cells(body.slice(open + 1, close)));
    at = close + 1;
  }
  if (/[^\s,]/.test(body.slice(at, end))) throw new Error('not an array of rows');
  return rows;
}

function cells(row: string): string[] {
  const values = row.split(',');
  for (let i = 0; i < values.length; i++) {
    const value = (values[i] ?? '').trim().replace(/^"(.*)"$/, '$1');
    if (!NUMBER.test(value)) throw new Error('a row holds what is not a number');
    values[i] = value;
  }
  return values;
}
