import { BridgeError } from './errors.ts';

/** 256 KiB holds a batch of 50 requests many times over. */
export const MAX_BODY_BYTES = 256 * 1024;
/** Deeper than any body of this API; a parser recursing on it stays far from its stack's end. */
export const MAX_BODY_DEPTH = 32;

const bad = (detail: string, expected: string): BridgeError =>
  new BridgeError('malformed_request', { detail, field: 'body', expected });

type Header = (name: string) => string | null | undefined;

/** Refuses any type but plain JSON in UTF-8, before the body is read. @throws BridgeError `unsupported_media_type` */
export function checkJsonHeaders(header: Header): void {
  const type = header('content-type') ?? '';
  const media = type.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (media !== 'application/json')
    throw new BridgeError('unsupported_media_type', {
      detail: `The body is ${media === '' ? 'of no type' : `"${media.slice(0, 60)}"`}.`,
      field: 'content-type',
      expected: 'application/json',
    });
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new BridgeError('unsupported_media_type', {
      detail: 'The body is not in UTF-8.',
      field: 'content-type',
      expected: 'charset=utf-8',
    });
  checkEncoding(header);
}

/** @throws BridgeError `unsupported_media_type` */
export function checkEncoding(header: Header): void {
  const encoding = header('content-encoding');
  if (encoding && encoding.toLowerCase() !== 'identity')
    throw new BridgeError('unsupported_media_type', {
      detail: 'Compressed bodies are not taken.',
      field: 'content-encoding',
      expected: 'identity',
    });
}

export const bodyTooLarge = (maxBytes: number): BridgeError =>
  new BridgeError('payload_too_large', {
    detail: `The body is larger than ${maxBytes} bytes.`,
    field: 'body',
    expected: `at most ${maxBytes} bytes`,
  });

/**
 * The text and value of a JSON body. It is parsed before its names are looked at: in valid JSON each name stands before
 * one colon, so that the look is linear; in other text one bad name could be read again at every colon.
 * @param readName text of a quoted name → name; a test counts its calls
 * @throws BridgeError `malformed_request`
 */
export function parseJsonBody(bytes: Uint8Array, readName = unquoted): { text: string; value: unknown } {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    throw bad('The body begins with a byte order mark.', 'JSON in UTF-8 without a byte order mark');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw bad('The body is not UTF-8.', 'JSON in UTF-8');
  }
  if (text.trim() === '') throw bad('The body is empty.', 'a JSON object');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad('The body is not valid JSON.', 'a JSON object');
  }
  checkStructure(text, readName);
  return { text, value };
}

const unquoted = (quoted: string): string => JSON.parse(quoted) as string;

/** What `JSON.parse` lets through: names that come twice (the last one silently wins), `__proto__`, and any depth. */
function checkStructure(json: string, readName: (quoted: string) => string): void {
  /** Names seen in each open object; null for an open array. */
  const open: (Set<string> | null)[] = [];
  let lastString = '';
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') {
      const start = at;
      for (at++; json[at] !== '"'; at++) if (json[at] === '\\') at++;
      lastString = json.slice(start, at + 1);
    } else if (character === '{' || character === '[') {
      if (open.length >= MAX_BODY_DEPTH)
        throw bad(`The body is nested deeper than ${MAX_BODY_DEPTH}.`, `at most ${MAX_BODY_DEPTH} levels`);
      open.push(character === '{' ? new Set() : null);
    } else if (character === '}' || character === ']') open.pop();
    else if (character === ':') noteName(open.at(-1), readName(lastString));
  }
}

function noteName(names: Set<string> | null | undefined, name: string): void {
  const shown = name.slice(0, 60);
  if (name === '__proto__')
    throw new BridgeError('malformed_request', {
      detail: '"__proto__" is not a field.',
      field: '__proto__',
      expected: 'the names of the fields that the route takes, see /docs',
    });
  if (names?.has(name))
    throw new BridgeError('malformed_request', {
      detail: `"${shown}" comes twice in one object.`,
      field: shown,
      expected: 'every name once',
    });
  names?.add(name);
}
