import { z } from 'zod';
import { csvLine, type Table } from './lines.ts';

/** Lists as tables, for spreadsheets. */

/** Where a cell stands in an item: `["money", "balance"]`. */
type Column = readonly string[];

/**
 * The items of a list's page, with a column for each of their fields, also of parts that an item may lack: a table is the
 * same with and without rows. Lists and objects without fixed fields are JSON in their cell. `undefined` of an answer that
 * is no list of objects.
 */
export function pageTable(answer: z.ZodType): Table | undefined {
  const items = answer instanceof z.ZodObject ? (answer.shape['items'] as z.ZodType | undefined) : undefined;
  if (!(items instanceof z.ZodArray && items.element instanceof z.ZodObject)) return undefined;
  const schema = items.element;
  let known: readonly Column[] | undefined;
  const columns = (): readonly Column[] => (known ??= columnsOf(schema));
  return {
    of: 'page',
    get columns() {
      return columns().map((column) => column.join('.'));
    },
    cells: (row) => columns().map((column) => cell(at(row, column))),
  };
}

function columnsOf(schema: z.ZodObject, place: Column = []): Column[] {
  return Object.entries(schema.shape).flatMap(([name, value]) => {
    const inner = value instanceof z.ZodNullable || value instanceof z.ZodOptional ? value.unwrap() : value;
    const here = [...place, name];
    return inner instanceof z.ZodObject ? columnsOf(inner, here) : [here];
  });
}

const cell = (value: unknown): string | number | null =>
  typeof value === 'string' || typeof value === 'number'
    ? value
    : value === null || value === undefined
      ? null
      : JSON.stringify(value);

const at = (item: unknown, column: Column): unknown =>
  column.reduce((value: unknown, name) => (value as Record<string, unknown> | null | undefined)?.[name], item);

/** A heading, then a line for each item. */
export const tableText = (table: Table, items: readonly object[]): string =>
  [table.columns, ...items.map((item) => table.cells(item))].map((line) => csvLine(line)).join('');
