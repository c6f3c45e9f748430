/** Lists that may be tens of thousands long: made in turns, so that other connections are answered meanwhile. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encode } from '../codec.ts';
import { Json, JsonParts, type CommandReply } from '../command.ts';
import { RETCODE } from './scope.ts';

/** About 2 ms of rendering. */
const ROWS_AT_ONCE = 100;
/** Of a longer list, half a millisecond: an order waits for several turns. */
const ROWS_A_TURN = 25;
const COMMA = Buffer.from(',');

/** The reply whose answer is the list; of more than `most` rows, so many with `14`. */
export function listOf<Row>(
  asked: readonly Row[],
  render: (row: Row) => unknown,
  most: number,
): CommandReply | Promise<CommandReply> {
  const rows = asked.slice(0, most);
  const retcode = asked.length > most ? RETCODE.partial : 0;
  return rows.length <= ROWS_AT_ONCE ? { retcode, answer: rows.map(render) } : inTurns(rows, render, retcode);
}

async function inTurns<Row>(
  rows: readonly Row[],
  render: (row: Row) => unknown,
  retcode: number,
): Promise<CommandReply> {
  const parts: Buffer[] = [];
  for (let from = 0; from < rows.length; from += ROWS_A_TURN) {
    const pieces = rows.slice(from, from + ROWS_A_TURN).flatMap((row) => {
      const value = render(row);
      return [COMMA, value instanceof Json ? value.utf8 : Buffer.from(encode(value))];
    });
    if (from === 0) pieces[0] = Buffer.from('[');
    parts.push(Buffer.concat(pieces));
    await nextTurn();
  }
  parts.push(Buffer.from(']'));
  return { retcode, answer: new JsonParts(parts) };
}

/** `rowsOf` all of them, so many before other connections have their turn. */
export async function flatInTurns<From, Row>(
  all: readonly From[],
  rowsOf: (one: From) => readonly Row[],
  most: number,
): Promise<readonly Row[]> {
  const found: Row[] = [];
  for (let from = 0; from < all.length; from += most) {
    if (from > 0) await nextTurn();
    for (const one of all.slice(from, from + most)) found.push(...rowsOf(one));
  }
  return found;
}
