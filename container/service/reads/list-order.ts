import { decodeCursor, encodeCursor, refuseCursor } from '../broker/cursor.ts';

/** The place of an item: its login, its time (0 where the list has none), its ticket. */
export type Place = readonly [login: number, timeMs: number, ticket: string];

export interface Ordering {
  /** `time`: of all accounts together; otherwise account by account. */
  readonly sort?: 'login' | 'time' | undefined;
  readonly newestFirst?: boolean | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** A page that can be read on from its end later, when more has happened. */
export interface ResumablePage<Item> extends Page<Item> {
  readonly resumeCursor: string | null;
}

const compareTickets = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

/** The order of a list, and its cursors: those of another list or order do not fit. */
export class ListOrder {
  readonly #list: string;
  readonly #byTime: boolean;
  readonly #newestFirst: boolean;

  constructor(list: string, { sort, newestFirst = false }: Ordering) {
    this.#byTime = sort === 'time';
    this.#newestFirst = newestFirst;
    this.#list = list + (this.#byTime ? ':time' : '') + (newestFirst ? ':newest' : '');
  }

  get newestFirst(): boolean {
    return this.#newestFirst;
  }

  /** Oldest of all accounts first, tickets as the server counts them. */
  get byTime(): boolean {
    return this.#byTime;
  }

  compare(a: Place, b: Place): number {
    const accounts = this.#byTime ? 0 : a[0] - b[0];
    const order = accounts || a[1] - b[1] || compareTickets(a[2], b[2]);
    return this.#newestFirst ? -order : order;
  }

  /** @throws BridgeError `invalid_field` */
  placeIn(cursor: string | undefined): Place | undefined {
    return decodeCursor(this.#list, ['number', 'number', 'string'], cursor) as Place | undefined;
  }

  /** The same of a list about one login. @throws BridgeError `invalid_field` */
  placeOf(login: number, cursor: string | undefined): Place | undefined {
    const place = this.placeIn(cursor);
    if (place && place[0] !== login) throw refuseCursor();
    return place;
  }

  cursorAt(place: Place): string {
    return encodeCursor(this.#list, place);
  }
}
