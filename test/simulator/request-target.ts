/** Path and parameters of a request target. */
export interface Target {
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

/** Undefined where percent-encoding or its UTF-8 is broken. */
export function parseTarget(target: string, plusIsSpace: boolean): Target | undefined {
  const start = target.startsWith('/') ? 0 : target.indexOf('/', target.indexOf('//') + 2);
  if (start === -1) return undefined;
  const mark = target.indexOf('?', start);
  if (mark === -1) return { path: target.slice(start), query: NO_PARAMETERS };
  const query = parseForm(target.slice(mark + 1), plusIsSpace);
  return query === undefined ? undefined : { path: target.slice(start, mark), query };
}

/** `name=value&…` with names in lower case and the protocol's escapes taken out of the values; the last of a name wins. */
export function parseForm(text: string, plusIsSpace: boolean): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  try {
    for (const part of text.split('&')) {
      if (part === '') continue;
      const equals = part.indexOf('=');
      const name = equals === -1 ? part : part.slice(0, equals);
      const value = equals === -1 ? '' : part.slice(equals + 1);
      values.set(decode(name, plusIsSpace).toLowerCase(), unescape(decode(value, plusIsSpace)));
    }
  } catch {
    return undefined;
  }
  return values;
}

function decode(text: string, plusIsSpace: boolean): string {
  const spaced = plusIsSpace && text.includes('+') ? text.replaceAll('+', ' ') : text;
  return spaced.includes('%') ? decodeURIComponent(spaced) : spaced;
}

/** `\=` `\|` `\\` and backslash + LF stand for the second character; a lone backslash stays (mt5-webapi.md §1.1). */
const unescape = (value: string): string => (value.includes('\\') ? value.replaceAll(/\\([=|\\\n])/g, '$1') : value);
