/** What an answer's first member says; `undefined` where the body is not JSON with a retcode. */
export interface ReplyRetcode {
  readonly code: number;
  readonly text: string;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The JSON object of an answer; a byte order mark and blanks around it are allowed. @throws Error */
export function parseReply(bytes: Uint8Array): Record<string, unknown> {
  const value: unknown = JSON.parse(decoder.decode(bytes));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('expected a JSON object');
  return value as Record<string, unknown>;
}

/** `"0 Done"`, `"10009 Request executed"`, or a bare number: only the number in front counts. */
export function readRetcode(value: unknown): ReplyRetcode | undefined {
  if (typeof value === 'number' && Number.isInteger(value)) return { code: value, text: '' };
  const match = typeof value === 'string' ? /^\s*(\d{1,9})(?:\s+(.*))?$/s.exec(value) : null;
  return match ? { code: Number(match[1]), text: match[2]?.trim() ?? '' } : undefined;
}

/** The retcode is the first member of an answer: found without parsing the megabytes behind it. */
const HEAD = /^[\uFEFF\s]*\{\s*"retcode"\s*:\s*("(?:[^"\\]|\\.)*"|\d+)\s*[,}]/i;
const HEAD_BYTES = 512;

/**
 * The retcode of an answer that is a whole JSON object, as far as its two ends tell; what is between is checked where
 * it is parsed.
 */
export function scanRetcode(bytes: Uint8Array): ReplyRetcode | undefined {
  if (isPlainSuccess(bytes) && endsWithBrace(bytes)) return DONE;
  const head = HEAD.exec(Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES)).toString());
  if (!head || !endsWithBrace(bytes)) return parsedRetcode(bytes);
  try {
    return readRetcode(JSON.parse(head[1] ?? ''));
  } catch {
    return undefined;
  }
}

function parsedRetcode(bytes: Uint8Array): ReplyRetcode | undefined {
  try {
    return retcodeMember(parseReply(bytes));
  } catch {
    return undefined;
  }
}

const DONE: ReplyRetcode = { code: 0, text: 'Done' };
/** How nearly every answer begins: with blanks around the colon as MT5 writes them, or without. */
const PLAIN_SUCCESS = ['{"retcode":"0 Done"', '{"retcode" : "0 Done"'].flatMap((head) =>
  [',', '}', ' '].map((end) => Buffer.from(head + end)),
);

const isPlainSuccess = (bytes: Uint8Array): boolean =>
  PLAIN_SUCCESS.some((head) => bytes.length > head.length && head.every((byte, at) => byte === bytes[at]));

/** The retcode of a parsed answer, whatever its place and the case of its name. */
export function retcodeMember(reply: Readonly<Record<string, unknown>>): ReplyRetcode | undefined {
  const name = 'retcode' in reply ? 'retcode' : Object.keys(reply).find((key) => key.toLowerCase() === 'retcode');
  return name === undefined ? undefined : readRetcode(reply[name]);
}

function endsWithBrace(bytes: Uint8Array): boolean {
  let end = bytes.length - 1;
  while (end >= 0 && [0x20, 0x09, 0x0a, 0x0d].includes(bytes[end] ?? 0)) end--;
  return bytes[end] === 0x7d;
}
