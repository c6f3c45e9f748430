import { parseExactJson, type WireObject, type WireValue } from './fields.ts';

/**
 * V8 keeps strings of up to 128 KB in its young space; longer ones get memory of their own from the system, and one name in
 * Chinese makes two bytes of every character. In a virtual machine whose memory is given page by page, reading an answer of
 * 200 KB as one string took 50 to 300 times as long as in pieces of this size.
 */
const PIECE_BYTES = 40_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

interface List {
  /** Where the name of the list begins and ends, its quotes included. */
  readonly name: readonly [from: number, to: number];
  /** After `[`, and of `]`. */
  readonly from: number;
  readonly to: number;
  /** Commas between the rows, some `PIECE_BYTES` apart. */
  readonly cuts: readonly number[];
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * An answer with a long list of objects, as `parseExactJson` reads it, without ever making one string of it.
 * @returns undefined where there is no such list: then it is read whole
 * @throws SyntaxError, TypeError where a piece is no JSON, or no UTF-8
 */
export function parseLongAnswer(bytes: Uint8Array): WireValue | undefined {
  const list = bytes.length > 2 * PIECE_BYTES ? findList(bytes) : undefined;
  if (!list) return undefined;
  const textOf = (from: number, to: number): string => decoder.decode(bytes.subarray(from, to));
  const frame = parseExactJson(textOf(0, list.from) + textOf(list.to, bytes.length)) as WireObject;
  const rows: WireValue[] = [];
  let from = list.from;
  for (const to of [...list.cuts, list.to]) {
    rows.push(...(parseExactJson(`[${textOf(from, to)}]`) as readonly WireValue[]));
    from = to + 1;
  }
  return { ...frame, [JSON.parse(textOf(...list.name)) as string]: rows };
}

/** The first list of objects in the outermost object. */
function findList(bytes: Uint8Array): List | undefined {
  let depth = 0;
  let name: List['name'] = [0, 0];
  let from = 0;
  let pieceFrom = 0;
  const cuts: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at] ?? 0) {
      case QUOTE: {
        const end = endOfString(bytes, at);
        if (depth === 1) name = [at, end + 1];
        at = end;
        break;
      }
      case OPEN_BRACKET:
        depth++;
        if (depth === 2 && from === 0 && bytes[at + 1] === OPEN_BRACE) from = pieceFrom = at + 1;
        break;
      case OPEN_BRACE:
        depth++;
        break;
      case CLOSE_BRACE:
        depth--;
        break;
      case CLOSE_BRACKET:
        depth--;
        if (depth === 1 && from > 0) return { name, from, to: at, cuts };
        break;
      case COMMA:
        if (depth === 2 && from > 0 && at - pieceFrom >= PIECE_BYTES) {
          cuts.push(at);
          pieceFrom = at + 1;
        }
        break;
      default:
    }
  }
  return undefined;
}

/** Where the quote is that ends it; behind the bytes where none does. */
function endOfString(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
