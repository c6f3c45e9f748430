import { userRightBit } from '../../contract/schemas/enums.ts';
import { BridgeError } from '../../contract/errors.ts';
import {
  changeAccountGroup,
  changeBalance,
  changePassword,
  checkPassword,
  createAccount,
  disableAccount,
  enableAccount,
  updateAccount,
  type moneyRoutes,
} from '../../contract/routes/money.ts';
import { budgetOf } from '../../contract/keys.ts';
import type { AnswerOf, RouteInput } from '../../contract/route.ts';
import type { User } from '../../contract/schemas/account.ts';
import type { ObjectOf } from '../../contract/schemas/object.ts';
import type { deal } from '../../contract/schemas/trade.ts';
import type { Command, Upstream } from '../../session/upstream.ts';
import type { StateApi } from '../../state/state-api.ts';
import { addDecimals, scaledDecimal } from '../../webapi/decimal.ts';
import { Fields, isWireObject, payload, payloadScalar, type WireObject } from '../../webapi/fields.ts';
import type { Broker, ReadContext } from '../broker/broker.ts';
import { handle, type RouteAnswer, type RouteContext, type HandlersOf } from '../handler.ts';
import { isPasswordRight } from '../broker/password-check.ts';
import { profileFields, SERVER_OWNED } from './account-fields.ts';
import { reservedAmount } from './limits.ts';
import { taggedComment, type TradeBooks } from './books.ts';
import type { OperationRunner, SendHooks } from './operation-runner.ts';
import { bodyOf, done, settledReply, type Settlement } from './settlement.ts';

/** `type` of `trade/balance` (mt5-webapi §3.7). */
const BALANCE_TYPE = { balance: '2', credit: '3', correction: '5', bonus: '6' } as const;

const RIGHT_ENABLED = userRightBit('enabled');

export interface AccountsAdminParts {
  readonly runner: OperationRunner;
  readonly upstream: Upstream;
  readonly broker: Broker;
  readonly books: TradeBooks;
  readonly state: StateApi;
  /** An account was changed: sessions that it does not allow any more end. */
  readonly onAccountChanged: (login: number) => void;
}

type Changed = Readonly<Record<string, string>>;

type MoneyRoute = (typeof moneyRoutes)[number];
type BalanceAnswer = RouteAnswer<AnswerOf<typeof changeBalance>>;
type AccountAnswer = RouteAnswer<AnswerOf<typeof createAccount>>;
type AccountWritten = Omit<AnswerOf<typeof createAccount>, 'operation'>;

/** Money and account records. Each write is one operation; passwords travel in bodies and stay nowhere. */
export class AccountsAdmin {
  readonly #parts: AccountsAdminParts;

  constructor(parts: AccountsAdminParts) {
    this.#parts = parts;
  }

  handlers(): HandlersOf<MoneyRoute> {
    const right =
      (on: boolean) =>
      async (login: number, context: RouteContext): Promise<Changed> => {
        const rights = new Fields(await this.#parts.books.user(login, context)).integer('Rights') ?? 0;
        return { Rights: String(on ? rights | RIGHT_ENABLED : rights & ~RIGHT_ENABLED) };
      };
    return {
      ...handle(changeBalance, (input, context) => this.#balance(input, context)),
      ...handle(createAccount, (input, context) => this.#create(input, context)),
      ...handle(updateAccount, (input, context) =>
        this.#update(updateAccount.id, 'account.update', input, context, async () => profileFields(input.body)),
      ),
      ...handle(enableAccount, (input, context) =>
        this.#update(enableAccount.id, 'account.enable', input, context, () =>
          right(true)(input.params.login, context),
        ),
      ),
      ...handle(disableAccount, (input, context) =>
        this.#update(disableAccount.id, 'account.disable', input, context, () =>
          right(false)(input.params.login, context),
        ),
      ),
      ...handle(changeAccountGroup, (input, context) =>
        this.#update(changeAccountGroup.id, 'account.group', input, context, async () => ({ Group: input.body.group })),
      ),
      ...handle(changePassword, (input, context) => this.#changePassword(input, context)),
      ...handle(checkPassword, (input, context) => this.#checkPassword(input, context)),
    };
  }

  // ── Money ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #balance(input: RouteInput<typeof changeBalance>, context: RouteContext): Promise<BalanceAnswer> {
    const { login } = input.params;
    const { kind, amount, comment } = input.body;
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
        ['comment', taggedComment(comment, tag)],
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
          this.#send({ path: 'trade/balance', query: query(hooks.tag) }, hooks, `${kind} ${amount}`, async (body) => {
            const ticket = payloadScalar(body, 'Ticket') ?? null;
            return done(201, { deal: ticket, deals: await this.#dealBack(ticket) });
          }),
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

  // ── Accounts ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async #create(input: RouteInput<typeof createAccount>, context: RouteContext): Promise<AccountAnswer> {
    const { login, group, name, passwordMain, passwordInvestor, ...rest } = input.body;
    const profile = {
      ...profileFields({ ...rest, name }),
      Group: group,
      ...(login === undefined ? {} : { Login: String(login) }),
    };
    if (input.query.dryRun) return { status: 200, body: { dryRun: { request: profile, margin: null } } };
    const identity = { routeId: createAccount.id, params: {}, query: {}, bodyText: context.bodyText };
    return this.#parts.runner.run(context, identity, async () => {
      const alike =
        login === undefined
          ? (await this.#parts.books.usersOfGroup(group, context)).users
          : await this.#alikeLogin(login, context);
      const loginsBefore = alike
        .map((user) => new Fields(user))
        .filter((user) => user.text('Name') === name)
        .flatMap((user) => user.text('Login') ?? []);
      return {
        kind: 'account.create',
        login: login ?? null,
        trading: false,
        request: {
          effect: 'user_created',
          login: login ?? null,
          group,
          name,
          loginsBefore,
          status: 201,
          sentBeforeMs: context.deadlineAtMs,
        },
        send: (hooks) => {
          const body = JSON.stringify({ ...profile, PassMain: passwordMain, PassInvestor: passwordInvestor });
          return this.#send({ path: 'user/add', body }, hooks, `open an account in ${group}`, async (reply) => {
            this.#parts.broker.invalidate('logins');
            const user = objectOf(reply);
            const made = new Fields(user).integer('Login') ?? Number(payloadScalar(reply, 'Login') ?? 0);
            return done(201, { login: made === 0 ? null : made, account: await this.#asAccount(user) });
          });
        },
      };
    });
  }

  /** What cannot be read now is left out: the write itself is known. */
  async #asAccount(user: WireObject): Promise<User | null> {
    try {
      return Object.keys(user).length > 0 ? await this.#parts.books.asUser(user, quietly()) : null;
    } catch {
      return null;
    }
  }

  async #alikeLogin(login: number, context: ReadContext): Promise<readonly WireObject[]> {
    const user = await this.#parts.books.optional(this.#parts.books.user(login, context));
    return user ? [user] : [];
  }

  /** Read, merge, write: the server takes whole records. What changed in between is somebody else's and stays. */
  async #update(
    routeId: string,
    kind: string,
    input: { params: { login: number }; query: { dryRun: boolean } },
    context: RouteContext,
    changes: () => Promise<Changed>,
  ): Promise<AccountAnswer> {
    const { login } = input.params;
    const { books } = this.#parts;
    if (input.query.dryRun) {
      await books.user(login, context);
      return {
        status: 200,
        body: { dryRun: { request: { Login: String(login), ...(await changes()) }, margin: null } },
      };
    }
    const identity = { routeId, params: input.params, query: {}, bodyText: context.bodyText };
    return this.#parts.runner.run(context, identity, async () => {
      const user = await books.user(login, context);
      const wanted = await changes();
      const before = Object.fromEntries(Object.keys(wanted).map((name) => [name, new Fields(user).text(name) ?? '']));
      return {
        kind,
        login,
        trading: false,
        request: { effect: 'user_changed', login, before, wanted, status: 200, sentBeforeMs: context.deadlineAtMs },
        send: async (hooks) => {
          const settlement = await this.#writeUser(login, user, wanted, hooks);
          if (settlement.state === 'done') this.#parts.onAccountChanged(login);
          return settlement;
        },
      };
    });
  }

  async #writeUser(
    login: number,
    read: WireObject,
    wanted: Changed,
    hooks: SendHooks,
  ): Promise<Settlement<AccountWritten>> {
    const { books, broker } = this.#parts;
    const record = (user: Readonly<Record<string, unknown>>): Record<string, unknown> =>
      Object.fromEntries(Object.entries(user).filter(([name]) => !SERVER_OWNED.test(name)));
    const context = { deadlineAtMs: hooks.deadlineAtMs, signal: hooks.signal };
    const { user: now, asSent } = await books.userToWrite(login, context);
    if (JSON.stringify(record(now)) !== JSON.stringify(record(read)))
      throw new BridgeError('broker_conflict', {
        detail: 'Somebody else changed the account at this moment; nothing was written.',
        outcome: 'not_sent',
        retry: 'yes',
      });
    const body = JSON.stringify({ ...record(asSent), ...wanted, Login: String(login) });
    const command = { path: 'user/update', query: [['login', String(login)]] as const, body };
    return this.#send(command, hooks, `change account ${login}`, async (reply) => {
      broker.invalidate('logins');
      const user = objectOf(reply);
      return done(200, { login, account: await this.#asAccount(user) });
    });
  }

  // ── Passwords ─────────────────────────────────────────────────────────────────────────────────────────────────────

  async #changePassword(input: RouteInput<typeof changePassword>, context: RouteContext): Promise<AccountAnswer> {
    const { login } = input.params;
    const { type, password } = input.body;
    const identity = { routeId: changePassword.id, params: input.params, query: {}, bodyText: context.bodyText };
    return this.#parts.runner.run(context, identity, async () => {
      const user = await this.#parts.books.user(login, context);
      const changedAtBefore = new Fields(user).text('LastPassChange') ?? '';
      return {
        kind: 'account.password',
        login,
        trading: false,
        request: {
          // `LastPassChange` is about the main password; no source tells whether it covers the others.
          ...(type === 'main' ? { effect: 'password_changed', login, changedAtBefore } : { effect: 'untraceable' }),
          status: 200,
          sentBeforeMs: context.deadlineAtMs,
        },
        send: (hooks) => {
          const body = JSON.stringify({ Login: String(login), Type: type, Password: password });
          return this.#send(
            { path: 'user/change_password', body },
            hooks,
            `change a password of ${login}`,
            async () => {
              await this.#parts.state.sessions.revokeLogin(login, 'a password was changed');
              return done(200, { login });
            },
          );
        },
      };
    });
  }

  async #checkPassword(
    input: RouteInput<typeof checkPassword>,
    context: RouteContext,
  ): Promise<RouteAnswer<AnswerOf<typeof checkPassword>>> {
    const { login } = input.params;
    const { state, upstream } = this.#parts;
    const keyId = budgetOf(context.caller);
    const { retryAfterMs } = await state.sessions.attempt(login, keyId);
    if (retryAfterMs > 0)
      throw new BridgeError('rate_limited', {
        detail: `Too many wrong passwords for login ${login}.`,
        retryAfterMs,
      });
    let valid = false;
    try {
      valid = await isPasswordRight(upstream, { login, ...input.body }, context);
    } catch (error) {
      await state.sessions.attemptForgiven(login, keyId, false);
      throw error;
    }
    if (valid) await state.sessions.attemptForgiven(login, keyId, input.body.type === 'main');
    return { body: { valid } };
  }

  async #send<Body extends object>(
    command: Command,
    hooks: SendHooks,
    what: string,
    whenDone: (body: WireObject) => Promise<Settlement<Body>>,
  ): Promise<Settlement<Body>> {
    const reply = await this.#parts.upstream.mutate(command, hooks);
    const settlement = settledReply<Body>(reply, what, () => done(200, {} as Body));
    return settlement.state === 'done' ? whenDone(bodyOf(reply)) : settlement;
  }
}

function objectOf(body: WireObject): WireObject {
  const value = payload(body);
  const object = Array.isArray(value) ? value[0] : value;
  return isWireObject(object) ? object : {};
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

const quietly = (): ReadContext => ({ deadlineAtMs: Date.now() + 3000, signal: new AbortController().signal });
