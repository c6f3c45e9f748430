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

/** The rows of an answer. @throws Error where it is not of that form */
export function numberRows(bytes: Uint8Array): readonly Row[] {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  const head = RETCODE_AND_ANSWER.exec(text);
  const end = text.lastIndexOf('}');
  if (!head || end < head[0].length) {
    JSON.parse(text);
    return [];
  }
  const body = text.slice(head[0].length, end).trim();
  // No `answer` at all, or an empty one.
  if (body === '' || body === 'null' || body === '""') return [];
  const answer: unknown = JSON.parse(body);
  if (!Array.isArray(answer)) throw new Error('the answer is no array');
  const table = new Table(text, text.indexOf('[', head[0].length) + 1);
  return answer.map((cells: unknown, index) => {
    if (!Array.isArray(cells) || cells.length === 0 || !cells.every(isNumber))
      throw new Error('a row is not of numbers');
    const values = typeof cells[0] === 'string' ? cells.map(Number) : (cells as number[]);
    return new Row(values, table, index, answer.length);
  });
}
