/** Answers kept as JSON text while what they were made of stays the same: hot reads cost a look-up. */
import type { World } from '../broker/world.ts';
import { encode } from '../codec.ts';
import { Json } from '../command.ts';
import type { Switches } from '../switches.ts';

interface Kept {
  readonly stamp: string;
  readonly json: Json;
}

/**
 * One kind of answer about one kind of record. Kept on the record itself, where copies of it do not see it: a table of
 * 50,000 weak references would stop the program for a quarter of a second at every collection.
 */
export class Texts<Row extends object> {
  readonly #place = Symbol('text');

  /** The text of a record; `stamp` names the state it was made from. */
  of(row: Row, stamp: string, render: () => object): Json {
    const kept = row as { [place: symbol]: Kept | undefined };
    const known = kept[this.#place];
    if (known?.stamp === stamp) return known.json;
    const json = new Json(encode(render()));
    const value = { stamp, json };
    if (known) kept[this.#place] = value;
    else Object.defineProperty(row, this.#place, { value, writable: true, configurable: true });
    return json;
  }

  forget(row: Row): void {
    delete (row as { [place: symbol]: Kept | undefined })[this.#place];
  }
}

/** Names of fields that switches change. */
export const spelling = (switches: Readonly<Switches>): string => `${switches.modifyFlags} ${switches.apiDataUnsigned}`;

/** Changes with every change of the books and every tick. */
export const moment = ({ books, market }: World): string => `${books.version} ${books.configVersion} ${market.transId}`;
