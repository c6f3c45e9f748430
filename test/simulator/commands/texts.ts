/** Answers kept as JSON text while what they were made of stays the same: hot reads cost a look-up. */
import type { World } from '../broker/world.ts';
import { encode } from '../codec.ts';
import { Json } from '../command.ts';
import type { Switches } from '../switches.ts';

interface Kept {
  readonly stamp: string;
  readonly json: Json;
}

/** One kind of answer about one kind of record. */
export class Texts<Row extends object> {
  readonly #kept = new WeakMap<Row, Kept>();

  /** The text of a record; `stamp` names the state it was made from. */
  of(row: Row, stamp: string, render: () => object): Json {
    const known = this.#kept.get(row);
    if (known?.stamp === stamp) return known.json;
    const json = new Json(encode(render()));
    this.#kept.set(row, { stamp, json });
    return json;
  }

  forget(row: Row): void {
    this.#kept.delete(row);
  }
}

/** Names of fields that switches change. */
export const spelling = (switches: Readonly<Switches>): string => `${switches.modifyFlags} ${switches.apiDataUnsigned}`;

/** Changes with every change of the books and every tick. */
export const moment = ({ books, market }: World): string => `${books.version} ${books.configVersion} ${market.transId}`;
