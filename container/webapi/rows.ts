/**
 * `chart/get` and `tick/history` answer arrays of arrays of bare numbers, up to 16 MB (mt5-webapi §3.5). They are parsed
 * as floats, which order and count rightly; the text of a price is cut out of the answer where it is shown.
 */
const RETCODE_AND_ANSWER =
  /^[\s\uFEFF]*\{\s*(?:"retcode"\s*:\s*(?:"(?:[^"\\]|\\.)*"|\d+)\s*,?\s*)?(?:"answer"\s*:\s*)?/i;

class Table {
  readonly text: string;
  readonly #from: number;
  #starts: Uint32Array | undefined;

  constructor(text: string, from: number) {
    this.text = text;
    this.#from = from;
  }

  /** The cells of one row, as sent. */
  cells(index: number, rows: number): string[] {
    this.#starts ??= this.#find(rows);
    const start = this.#starts[index] ?? 0;
    const cells = this.text.slice(start, this.text.indexOf(']', start)).split(',');
    return cells.map((cell) => cell.trim().replaceAll('"', ''));
  }

  #find(rows: number): Uint32Array {
    const starts = new Uint32Array(rows);
    let at = this.#from;
    for (let row = 0; row < rows; row++) {
      at = this.text.indexOf('[', at) + 1;
      starts[row] = at;
    }
    return starts;
  }
}

/** One row: its numbers, and their text where it is asked for. */
export class Row {
  readonly values: readonly number[];
  readonly #table: Table;
  readonly #index: number;
  readonly #rows: number;

  constructor(values: readonly number[], table: Table, index: number, rows: number) {
    this.values = values;
    this.#table = table;
    this.#index = index;
    this.#rows = rows;
  }

  get texts(): readonly string[] {
    return this.#table.cells(this.#index, this.#rows);
  }
}

const isNumber = (cell: unknown): boolean =>
  typeof cell === 'number' || (typeof cell === 'string' && cell !== '' && !Number.isNaN(Number(cell)));

/** The rows of an answer, whatever stands beside them or before them. @throws Error where it is not of that form */
export function numberRows(bytes: Uint8Array): readonly Row[] {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  const { from, rows: answer } = usualAnswer(text) ?? anyAnswer(text);
  if (answer === undefined || answer === null || answer === '') return [];
  if (!Array.isArray(answer)) throw new Error('the answer is no array');
  const table = new Table(text, text.indexOf('[', from) + 1);
  return answer.map((cells: unknown, index) => {
    if (!Array.isArray(cells) || cells.length === 0 || !cells.every(isNumber))
      throw new Error('a row is not of numbers');
    const values = typeof cells[0] === 'string' ? cells.map(Number) : (cells as number[]);
    return new Row(values, table, index, answer.length);
  });
}

interface FoundAnswer {
  /** Place of its first character in the text. */
  readonly from: number;
  /** Parsed; `undefined` = there is none. */
  readonly rows: unknown;
}

/** Retcode, answer, end: parsed once. `undefined` where it is written in another way. */
function usualAnswer(text: string): FoundAnswer | undefined {
  const head = RETCODE_AND_ANSWER.exec(text);
  const end = text.lastIndexOf('}');
  if (!head || end < head[0].length) return undefined;
  try {
    return { from: head[0].length, rows: JSON.parse(text.slice(head[0].length, end)) };
  } catch {
    return undefined;
  }
}

/** The member `answer` of the object, wherever it stands. @throws SyntaxError where the text is no JSON object */
function anyAnswer(text: string): FoundAnswer {
  const body: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Error('the answer is no object');
  const name = Object.keys(body).findLast((key) => key.toLowerCase() === 'answer');
  if (name === undefined) return { from: 0, rows: undefined };
  return { from: placeOf(text, name), rows: (body as Readonly<Record<string, unknown>>)[name] };
}

/** Where the value of an object's own member begins (the last of that name, as in JSON.parse), in text that is known to be JSON. */
function placeOf(text: string, name: string): number {
  let depth = 0;
  let place = 0;
  for (let at = 0, found = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const from = at;
      while (text[++at] !== '"') if (text[at] === '\\') at++;
      if (depth === 1 && JSON.parse(text.slice(from, at + 1)) === name) found = at + 1;
    } else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === ':' && found > 0 && text.slice(found, at).trim() === '') place = at + 1;
  }
  return place;
}
