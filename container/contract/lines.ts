import { asBridgeError, toProblem } from './errors.ts';

/** A list as a table (RFC 4180): what it holds, and how one row is a line of it. */
export interface Table {
  /** The items of the page, or every item, without pages. */
  readonly of: 'page' | 'all';
  readonly columns: readonly string[];
  readonly cells: (row: object) => readonly (string | number | null | undefined)[];
}

export interface LinesOf {
  readonly rows: AsyncIterable<readonly object[]>;
  /** Writes decimals as the caller wants them. */
  readonly convert: (rows: readonly object[]) => readonly unknown[];
  readonly readAt: string;
  readonly readAtMs: number;
  readonly requestId: string;
}

/** Longer strings V8 keeps elsewhere, at a cost (`webapi/long-answer.ts`): 128 KB, of two bytes a character. */
const TEXT_CHARACTERS = 40_000;

/** Lines together, as many as are written at one time. */
function* texts(lines: readonly string[]): Generator<string, void, undefined> {
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length < TEXT_CHARACTERS) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

/**
 * A list as lines, part by part. The last one says that it is whole, or why it is not. What fails before the first part is
 * thrown: nothing has been answered then.
 */
export async function linesOf({ rows, convert, readAt, readAtMs, requestId }: LinesOf): Promise<AsyncIterable<string>> {
  const parts = rows[Symbol.asyncIterator]();
  let part = await parts.next();
  return (async function* lines() {
    let items = 0;
    try {
      for (; !part.done; part = await parts.next()) {
        items += part.value.length;
        yield* texts(convert(part.value).map((row) => `${JSON.stringify(row)}\n`));
      }
      yield `${JSON.stringify({ end: true, items, readAt, readAtMs })}\n`;
    } catch (error) {
      yield `${JSON.stringify({ end: false, items, problem: toProblem(asBridgeError(error), requestId) })}\n`;
    } finally {
      await parts.return?.();
    }
  })();
}

/**
 * The same as CSV (RFC 4180), with a line of names first. It has no place for a reason: where a later part fails, the
 * answer breaks off, and its reader sees that it is not whole.
 */
export async function csvOf(rows: AsyncIterable<readonly object[]>, table: Table): Promise<AsyncIterable<string>> {
  const parts = rows[Symbol.asyncIterator]();
  let part = await parts.next();
  return (async function* lines() {
    try {
      yield csvLine(table.columns);
      for (; !part.done; part = await parts.next()) {
        yield* texts(part.value.map((row) => csvLine(table.cells(row))));
      }
    } finally {
      await parts.return?.();
    }
  })();
}

export const csvLine = (cells: ReturnType<Table['cells']>): string => `${cells.map(csvCell).join(',')}\r\n`;

const NUMBER = /^-?\d+(\.\d+)?$/;

/** A cell that a spreadsheet would take for a formula is text (OWASP, CSV injection); a negative number is none. */
function csvCell(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? '' : String(value);
  const isFormula = typeof value === 'string' && /^\s*[=+\-@\t\r]/.test(text) && !NUMBER.test(text);
  const safe = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
