import { BridgeError } from '../../contract/errors.ts';
import {
  changeAccountGroup,
  changePassword,
  checkPassword,
  createAccount,
  deleteAccount,
  disableAccount,
  enableAccount,
  updateAccount,
  type changeBalance,
  type moneyRoutes,
} from '../../contract/routes/money.ts';
import { budgetOf } from '../../contract/keys.ts';
import type { AnswerOf, RouteInput } from '../../contract/route.ts';
import type { User } from '../../contract/schemas/account.ts';
import type { Upstream } from '../../session/upstream.ts';
import type { StateApi } from '../../state/state-api.ts';
import { Fields, isWireObject, payload, payloadScalar, type WireObject } from '../../webapi/fields.ts';
import type { Broker, ReadContext } from '../broker/broker.ts';
import { actorOf, handle, type RouteAnswer, type RouteContext, type HandlersOf } from '../handler.ts';
import { isPasswordRight } from '../broker/password-check.ts';
import { profileFields, rightsField, SERVER_OWNED } from './account-fields.ts';
import type { TradeBooks } from './books.ts';
import type { OperationRunner, SendHooks } from './operation-runner.ts';
import { quietly, sendCommand } from './send-command.ts';
import { done, type Settlement } from './settlement.ts';

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

type AccountAnswer = RouteAnswer<AnswerOf<typeof createAccount>>;
type AccountWritten = Omit<AnswerOf<typeof createAccount>, 'operation'>;

/** Account records. Each write is one operation; passwords travel in bodies and stay nowhere. */
export class AccountsAdmin {
  readonly #parts: AccountsAdminParts;

  constructor(parts: AccountsAdminParts) {
    this.#parts = parts;
  }

  handlers(): HandlersOf<Exclude<(typeof moneyRoutes)[number], typeof changeBalance>> {
    return {
      ...handle(createAccount, (input, context) => this.#create(input, context)),
      ...handle(updateAccount, (input, context) => {
        const { rights, ...profile } = input.body;
        return this.#update(updateAccount.id, 'account.update', input, context, async (user) => ({
          ...profileFields(profile),
          ...(rights ? { Rights: rightsField(user, rights) } : {}),
        }));
      }),
      ...handle(deleteAccount, (input, context) => this.#delete(input, context)),
      ...handle(enableAccount, (input, context) =>
        this.#update(enableAccount.id, 'account.enable', input, context, async (user) => ({
          Rights: rightsField(user, { enabled: true }),
        })),
      ),
      ...handle(disableAccount, (input, context) => this.disable(input, context)),
      ...handle(changeAccountGroup, (input, context) =>
        this.#update(changeAccountGroup.id, 'account.group', input, context, async () => {
          await this.#parts.books.requireGroup(input.body.group, context);
          return { Group: input.body.group };
        }),
      ),
      ...handle(changePassword, (input, context) => this.#changePassword(input, context)),
      ...handle(checkPassword, (input, context) => this.#checkPassword(input, context)),
    };
  }

  disable(input: RouteInput<typeof disableAccount>, context: RouteContext): Promise<AccountAnswer> {
    return this.#update(disableAccount.id, 'account.disable', input, context, async (user) => ({
      Rights: rightsField(user, { enabled: false }),
    }));
  }

  // ── Accounts ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async #create(input: RouteInput<typeof createAccount>, context: RouteContext): Promise<AccountAnswer> {
    const { login, group, name, passwordMain, passwordInvestor, ...rest } = input.body;
    const profile = {
      ...profileFields({ ...rest, name }),
      Group: group,
      ...(login === undefined ? {} : { Login: String(login) }),
    };
    if (input.query.dryRun) {
      await this.#parts.books.requireGroup(group, context);
      return { status: 200, body: { dryRun: { request: profile, margin: null } } };
    }
    const identity = { routeId: createAccount.id, params: {}, query: {}, bodyText: context.bodyText };
    return this.#parts.runner.run(context, identity, async () => {
      await this.#parts.books.requireGroup(group, context);
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
          return sendCommand(
            this.#parts.upstream,
            { path: 'user/add', body },
            hooks,
            `open an account in ${group}`,
            async (reply) => {
              this.#parts.broker.invalidate('logins');
              const user = objectOf(reply);
              const made = new Fields(user).integer('Login') ?? Number(payloadScalar(reply, 'Login') ?? 0);
              return done(201, { login: made === 0 ? null : made, account: await this.#asAccount(user) });
            },
          );
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
    changes: (user: WireObject) => Promise<Changed>,
  ): Promise<AccountAnswer> {
    const { login } = input.params;
    const { books } = this.#parts;
    if (input.query.dryRun) {
      const wanted = await changes(await books.user(login, context));
      return { status: 200, body: { dryRun: { request: { Login: String(login), ...wanted }, margin: null } } };
    }
    const identity = { routeId, params: input.params, query: {}, bodyText: context.bodyText };
    return this.#parts.runner.run(context, identity, async () => {
      const user = await books.user(login, context);
      const wanted = await changes(user);
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
    return sendCommand(this.#parts.upstream, command, hooks, `change account ${login}`, async (reply) => {
      broker.invalidate('logins');
      const user = objectOf(reply);
      return done(200, { login, account: await this.#asAccount(user) });
    });
  }

  async #delete(input: RouteInput<typeof deleteAccount>, context: RouteContext): Promise<AccountAnswer> {
    const { login } = input.params;
    const { books, broker, upstream, onAccountChanged } = this.#parts;
    const check = async (): Promise<void> => {
      await books.user(login, context);
      await books.requireFlat(login, context);
    };
    if (input.query.dryRun) {
      await check();
      return { status: 200, body: { dryRun: { request: { Login: String(login) }, margin: null } } };
    }
    const identity = { routeId: deleteAccount.id, params: input.params, query: {}, bodyText: context.bodyText };
    return this.#parts.runner.run(context, identity, async () => {
      await check();
      return {
        kind: 'account.delete',
        login,
        trading: false,
        request: { effect: 'user_deleted', login, status: 200, sentBeforeMs: context.deadlineAtMs },
        send: async (hooks) => {
          const command = { path: 'user/delete', query: [['login', String(login)]] as const };
          return sendCommand<AccountWritten>(upstream, command, hooks, `delete account ${login}`, async () => {
            broker.invalidate('logins');
            onAccountChanged(login);
            return done(200, { login, account: null });
          });
        },
      };
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
          return sendCommand(
            this.#parts.upstream,
            { path: 'user/change_password', body },
            hooks,
            `change a password of ${login}`,
            async () => {
              await this.#parts.state.sessions.revokeLogin(login, 'a password was changed', actorOf(context));
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
}

function objectOf(body: WireObject): WireObject {
  const value = payload(body);
  const object = Array.isArray(value) ? value[0] : value;
  return isWireObject(object) ? object : {};
}
