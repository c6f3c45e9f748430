import type { SourceEvent } from '../../contract/hub-link.ts';
import type { Money } from '../../contract/schemas/account.ts';
import type { Deal } from '../../contract/schemas/trade.ts';
import { groupKey } from '../../contract/slice-keys.ts';
import type { AccountMargin, ClosedByStopOut, MarginApi } from '../../state/state-api.ts';
import type { StreamSource } from '../../stream/source.ts';

export interface MarginWatchParts {
  /** Masks of groups, by comma. */
  readonly groups: string;
  readonly attach: (emit: (event: SourceEvent) => void) => StreamSource & { detach(): void };
  readonly groupOf: (login: number) => Promise<string | undefined>;
  readonly state: MarginApi;
  readonly onError: (error: unknown) => void;
}

/** After the state could not be written. */
const AGAIN_MS = 5_000;

/**
 * Tells margin calls and stop-outs as the server declares them: `SOActivation` of the accounts, and the deals that it made to
 * close their positions. Follows the accounts of some groups as a client of the streams does, and keeps nobody awake.
 */
export class MarginWatch {
  readonly #parts: MarginWatchParts;
  #source: (StreamSource & { detach(): void }) | undefined;
  /** Accounts that are told of; undefined until it is known which were, before this process. */
  #known: Set<number> | undefined;
  readonly #accounts = new Map<number, Money>();
  readonly #deals: Deal[] = [];
  #isWriting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: MarginWatchParts) {
    this.#parts = parts;
  }

  /** The bridge has signed in. */
  start(): void {
    if (this.#source) return;
    const { attach, groups } = this.#parts;
    const key = groupKey(groups.split(','), undefined);
    this.#source = attach((event) => this.#apply(event));
    this.#source.want('accounts', [key]);
    this.#source.want('deals', [key]);
  }

  stop(): void {
    this.#source?.detach();
    clearTimeout(this.#timer);
  }

  #apply(event: SourceEvent): void {
    if (event.kind === 'load' && event.topic === 'accounts')
      for (const { entities } of event.slices) for (const { json } of entities) this.#saw(json);
    if (event.kind === 'change' && event.topic === 'accounts')
      for (const { json, state } of event.changes) if (state !== null) this.#saw(json);
    if (event.kind === 'change' && event.topic === 'deals')
      for (const { json } of event.changes) {
        const deal = JSON.parse(json) as Deal;
        if (deal.reason === 'so') this.#deals.push(deal);
      }
    if (this.#accounts.size > 0 || this.#deals.length > 0) this.#write();
  }

  #saw(json: string): void {
    const account = JSON.parse(json) as Money;
    const isQuiet = account.stopOut === null || account.stopOut === 'none';
    if (isQuiet && this.#known?.has(account.login) === false) return;
    this.#accounts.set(account.login, account);
  }

  /** One after the other; what could not be written is written later. */
  #write(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    void this.#writeAll()
      .catch((error: unknown) => {
        this.#parts.onError(error);
        this.#timer = setTimeout(() => this.#write(), AGAIN_MS);
      })
      .finally(() => (this.#isWriting = false));
  }

  async #writeAll(): Promise<void> {
    const { state } = this.#parts;
    const known = (this.#known ??= new Set(await state.known()));
    while (this.#accounts.size > 0 || this.#deals.length > 0) {
      const [accounts, deals] = [[...this.#accounts.values()], [...this.#deals]];
      const seen = accounts.filter((account) => known.has(account.login) || activationOf(account) !== 'none');
      if (seen.length > 0) await state.saw(await Promise.all(seen.map((account) => this.#margin(account))));
      if (deals.length > 0) await state.closed(await Promise.all(deals.map((deal) => this.#closed(deal))));
      for (const account of accounts) {
        if (this.#accounts.get(account.login) === account) this.#accounts.delete(account.login);
        if (activationOf(account) === 'none') known.delete(account.login);
        else known.add(account.login);
      }
      this.#deals.splice(0, deals.length);
    }
  }

  async #margin(account: Money): Promise<AccountMargin> {
    const { login, stopOutAtMs, stopOutLevel, stopOutEquity, stopOutMargin, equity, margin, marginLevel } = account;
    const activation = activationOf(account);
    const group = await this.#parts.groupOf(login);
    const now = { equity, margin, marginLevel };
    // What they were when the server declared it.
    const then = { equity: stopOutEquity, margin: stopOutMargin, marginLevel: stopOutLevel };
    return { login, activation, sinceMs: stopOutAtMs, group, ...(activation === 'none' ? now : then) };
  }

  async #closed({ login, ticket, position, symbol, volume, price, profit, comment }: Deal): Promise<ClosedByStopOut> {
    return { login, group: await this.#parts.groupOf(login), ticket, position, symbol, volume, price, profit, comment };
  }
}

const activationOf = ({ stopOut }: Money): AccountMargin['activation'] => stopOut ?? 'none';
