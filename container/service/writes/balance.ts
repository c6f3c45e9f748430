import { BridgeError } from '../../contract/errors.ts';
import type { AnswerOf, RouteInput } from '../../contract/route.ts';
import { changeBalance } from '../../contract/routes/money.ts';
import type { ObjectOf } from '../../contract/schemas/object.ts';
import type { deal } from '../../contract/schemas/trade.ts';
import { addDecimals, scaledDecimal } from '../../webapi/decimal.ts';
import { Fields, payloadScalar, type WireObject } from '../../webapi/fields.ts';
import { taggedComment } from '../broker/own-comment.ts';
import { handle, type HandlersOf, type RouteAnswer, type RouteContext } from '../handler.ts';
import type { AccountsAdminParts } from './accounts-admin.ts';
import { reservedAmount } from './limits.ts';
import { quietly, sendCommand } from './send-command.ts';
import { done } from './settlement.ts';

/** `type` of `trade/balance` (mt5-webapi §3.7). */
const BALANCE_TYPE = { balance: '2', credit: '3', charge: '4', correction: '5', bonus: '6' } as const;

type BalanceParts = Pick<AccountsAdminParts, 'runner' | 'upstream' | 'broker' | 'books'>;
type BalanceAnswer = RouteAnswer<AnswerOf<typeof changeBalance>>;

/** Money in and out: each is one operation, found again by its tag in the account's deals. */
export class BalanceWrites {
  readonly #parts: BalanceParts;

  constructor(parts: BalanceParts) {
    this.#parts = parts;
  }

  handlers(): HandlersOf<typeof changeBalance> {
    return handle(changeBalance, (input, context) => this.#balance(input, context));
  }

  async #balance(input: RouteInput<typeof changeBalance>, context: RouteContext): Promise<BalanceAnswer> {
    const { login } = input.params;
    const { kind, amount } = input.body;
    const reserve = { amount: reservedAmount(context.caller, amount) };
    const check = async (): Promise<{ account: WireObject; query: (tag: string) => [string, string][] }> => {
      const account = await this.#parts.broker.object('user/account/get', [['login', String(login)]], context);
      const digits = new Fields(account).integer('CurrencyDigits') ?? 2;
      if (scaledDecimal(amount, digits) === undefined)
        throw new BridgeError('invalid_field', {
          detail: `amount: the account's currency has ${digits} digits.`,
          field: 'amount',
          expected: `at most ${digits} digits after the point`,
        });
      const query = (tag: string): [string, string][] => [
        ['login', String(login)],
        ['type', BALANCE_TYPE[kind]],
        ['balance', amount],
        ['comment', taggedComment(input.body, tag)],
        ['check_margin', '1'],
      ];
      return { account, query };
    };
    if (input.query.dryRun) {
      const { account, query } = await check();
      return {
        status: 200,
        body: { dryRun: { request: Object.fromEntries(query('(tag)')), margin: after(account, kind, amount) } },
      };
    }
    const identity = { routeId: changeBalance.id, params: input.params, query: {}, bodyText: context.bodyText };
    return this.#parts.runner.run(context, identity, async () => {
      const { query } = await check();
      return {
        kind: `balance`,
        login,
        trading: false,
        reserve,
        request: { effect: 'tagged_deal', login, status: 201, sentBeforeMs: context.deadlineAtMs },
        send: (hooks) =>
          sendCommand(
            this.#parts.upstream,
            { path: 'trade/balance', query: query(hooks.tag) },
            hooks,
            `${kind} ${amount}`,
            async (body) => {
              const ticket = payloadScalar(body, 'Ticket') ?? null;
              return done(201, { deal: ticket, deals: await this.#dealBack(ticket) });
            },
          ),
      };
    });
  }

  async #dealBack(ticket: string | null): Promise<readonly ObjectOf<typeof deal>[]> {
    if (ticket === null) return [];
    const context = quietly();
    try {
      return await this.#parts.books.asDeals([await this.#parts.books.dealOf(ticket, context)], context);
    } catch {
      return [];
    }
  }
}

/** Balance, credit and free margin as they would be. */
function after(
  account: WireObject,
  kind: keyof typeof BALANCE_TYPE,
  amount: string,
): { current: WireObject; after: WireObject } {
  const fields = new Fields(account);
  const plus = (name: string): Record<string, string> => {
    const text = fields.text(name);
    return text === undefined ? {} : { [name]: addDecimals(text, amount) };
  };
  const changed = kind === 'credit' ? plus('Credit') : plus('Balance');
  return { current: account, after: { ...account, ...changed, ...plus('Equity'), ...plus('MarginFree') } };
}
