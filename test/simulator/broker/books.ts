/** The books: every record, with the indices that reads need. Only this class adds and removes records. */
import type { Group } from './groups.ts';
import type { Deal, Order, Position, User } from './records.ts';
import type { SymbolSpec } from './symbols.ts';

/** Records of one kind by ticket, by login (in order of arrival) and, where asked, by symbol. */
export class Ledger<Row extends { readonly ticket: number; readonly login: number; readonly symbol: string }> {
  readonly byTicket = new Map<number, Row>();
  readonly #byLogin = new Map<number, Row[]>();
  readonly #bySymbol = new Map<string, Set<Row>>();

  get size(): number {
    return this.byTicket.size;
  }

  get(ticket: number): Row | undefined {
    return this.byTicket.get(ticket);
  }

  of(login: number): readonly Row[] {
    return this.#byLogin.get(login) ?? [];
  }

  inSymbol(symbol: string): ReadonlySet<Row> {
    return this.#bySymbol.get(symbol) ?? new Set();
  }

  add(row: Row): void {
    this.byTicket.set(row.ticket, row);
    const rows = this.#byLogin.get(row.login);
    if (rows === undefined) this.#byLogin.set(row.login, [row]);
    else rows.push(row);
    const same = this.#bySymbol.get(row.symbol);
    if (same === undefined) this.#bySymbol.set(row.symbol, new Set([row]));
    else same.add(row);
  }

  remove(row: Row): void {
    this.byTicket.delete(row.ticket);
    const rows = this.#byLogin.get(row.login);
    const index = rows?.indexOf(row) ?? -1;
    if (index >= 0) rows?.splice(index, 1);
    this.#bySymbol.get(row.symbol)?.delete(row);
  }
}

/** Clients by login. Sorting 50,000 takes as long as two orders: their order is kept until one comes or goes. */
class Users extends Map<number, User> {
  #inOrder: readonly User[] | undefined;

  get inOrder(): readonly User[] {
    return (this.#inOrder ??= [...this.values()].sort((a, b) => a.login - b.login));
  }

  override set(login: number, user: User): this {
    this.#inOrder = undefined;
    return super.set(login, user);
  }

  override delete(login: number): boolean {
    this.#inOrder = undefined;
    return super.delete(login);
  }
}

export class Books {
  readonly users = new Users();
  /** In the order of the configuration: `next` counts along it. */
  readonly groups = new Map<string, Group>();
  readonly symbols = new Map<string, SymbolSpec>();
  readonly positions = new Ledger<Position>();
  readonly orders = new Ledger<Order>();
  readonly history = new Ledger<Order>();
  readonly deals = new Ledger<Deal>();
  /** Rises with every change of an account, an order or a position. */
  version = 0;
  /** Notes a change of what one login holds. */
  touch(login: number): void {
    this.version += 1;
    this.#revisions.set(login, this.revision(login) + 1);
  }

  /** Rises with every change of what a login holds. */
  revision(login: number): number {
    return this.#revisions.get(login) ?? 0;
  }

  /** Rises with every change of symbols or groups. */
  configVersion = 0;
  /** Highest login that may be given. */
  lastLogin = 99_999;
  readonly #revisions = new Map<number, number>();
  #orderTicket = 100_000;
  #dealTicket = 50_000;

  nextOrderTicket(): number {
    this.#orderTicket += 1;
    return this.#orderTicket;
  }

  nextDealTicket(): number {
    this.#dealTicket += 1;
    return this.#dealTicket;
  }

  groupOf(user: User): Group {
    const group = this.groups.get(user.group);
    if (group === undefined) throw new Error(`login ${user.login} is in group ${user.group}, which does not exist`);
    return group;
  }

  symbol(name: string): SymbolSpec {
    const symbol = this.symbols.get(name);
    if (symbol === undefined) throw new Error(`no symbol ${name}`);
    return symbol;
  }
}
