import { z } from 'zod';
import { csvLine } from './lines.ts';

/** Lists as tables (RFC 4180), for spreadsheets. */

/** Schema of the items of a list that has objects in it; `undefined` of any other answer. */
export function itemsIn(answer: z.ZodType): z.ZodObject | undefined {
  const items = answer instanceof z.ZodObject ? (answer.shape['items'] as z.ZodType | undefined) : undefined;
  return items instanceof z.ZodArray && items.element instanceof z.ZodObject ? items.element : undefined;
}

/** Where a cell stands in an item: `["money", "balance"]`. */
type Column = readonly string[];

/** Every column that the schema names, also of parts that an item may lack: a table is the same with and without rows. */
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

/** A heading, then a line for each item. Lists and objects without fixed fields are JSON in their cell. */
export function tableOf(schema: z.ZodObject, items: readonly unknown[]): string {
  const columns = columnsOf(schema);
  const head = columns.map((column) => column.join('.'));
  return [head, ...items.map((item) => columns.map((column) => cell(at(item, column))))]
    .map((line) => csvLine(line))
    .join('');
}
