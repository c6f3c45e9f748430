import { userRightBit } from '../../contract/schemas/enums.ts';
import { randomBytes } from 'node:crypto';
import { BridgeError } from '../../contract/errors.ts';
import { hasScope, hashKey, SESSION_TOKEN_PREFIX, type Scope } from '../../contract/keys.ts';
import type { AnswerOf, RouteInput } from '../../contract/route.ts';
import { openSession } from '../../contract/routes/sessions.ts';
import type { Upstream } from '../../session/upstream.ts';
import { consumerSessionView } from '../../state/consumer-session-view.ts';
import type { ConsumerSession, StateApi } from '../../state/state-api.ts';
import { Fields } from '../../webapi/fields.ts';
import { actorOf, handle, type RouteAnswer, type RouteContext, type HandlersOf } from '../handler.ts';
import { isPasswordRight } from '../broker/password-check.ts';
import type { TradeBooks } from './books.ts';

/** Rights and password of the account are looked at again so often (issue of the contract: five minutes). */
const RECHECK_MS = 300_000;
const RECHECK_TIMEOUT_MS = 20_000;

const RIGHT = {
  enabled: userRightBit('enabled'),
  tradeDisabled: userRightBit('trade_disabled'),
  readonly: userRightBit('readonly'),
};

export interface ConsumerSessionServiceParts {
  readonly state: StateApi;
  readonly upstream: Upstream;
  readonly books: TradeBooks;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** Traders' own sessions: the broker checks the password, the state keeps the hash of the token. */
export class ConsumerSessionService {
  readonly #parts: ConsumerSessionServiceParts;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(parts: ConsumerSessionServiceParts) {
    this.#parts = parts;
  }

  /** Listing and ending are the state's own (`state/state-answers.ts`). */
  handlers(): HandlersOf<typeof openSession> {
    return handle(openSession, (input, context) => this.#open(input, context));
  }

  /** Looks at the accounts of open sessions now and every five minutes, until closed. */
  start(): void {
    const again = (): void => {
      if (this.#closed) return;
      this.#timer = setTimeout(() => void this.recheck().finally(again), RECHECK_MS).unref();
    };
    void this.recheck().finally(again);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #open(
    { body }: RouteInput<typeof openSession>,
    context: RouteContext,
  ): Promise<RouteAnswer<AnswerOf<typeof openSession>>> {
    const { caller } = context;
    if (caller.sessionId !== undefined)
      throw new BridgeError('scope_missing', 'Sessions are opened with an API key, not with another session.');
    const { login, password } = body;
    const { sessions } = this.#parts.state;
    const { retryAfterMs } = await sessions.attempt(login, caller.id);
    if (retryAfterMs > 0)
      throw new BridgeError('rate_limited', { detail: `Too many wrong passwords for login ${login}.`, retryAfterMs });
    let granted;
    try {
      granted = await this.#check(login, password, context);
    } catch (error) {
      await sessions.attemptForgiven(login, caller.id, false);
      throw error;
    }
    if (!granted) throw new BridgeError('unauthenticated', 'Login or password is wrong, or the account is disabled.');
    await sessions.attemptForgiven(login, caller.id, granted.isMain);
    const mayTrade = granted.trade && hasScope(caller, 'trade');
    const scopes: readonly Scope[] = mayTrade ? ['read', 'trade'] : ['read'];
    const token = SESSION_TOKEN_PREFIX + randomBytes(32).toString('base64url');
    const session = await sessions.open({
      tokenHash: await hashKey(token),
      login,
      scopes,
      openedBy: caller.id,
      passwordChangedAt: granted.passwordChangedAt,
      by: actorOf(context),
    });
    return { status: 201, body: { token, ...consumerSessionView(session) } };
  }

  /** The main password gives `trade`, the investor's `read`. */
  async #check(
    login: number,
    password: string,
    context: RouteContext,
  ): Promise<{ isMain: boolean; trade: boolean; passwordChangedAt: string } | undefined> {
    const { upstream, books } = this.#parts;
    const main = await isPasswordRight(upstream, { login, type: 'main', password }, context);
    if (!main && !(await isPasswordRight(upstream, { login, type: 'investor', password }, context))) return undefined;
    const user = new Fields(await books.user(login, context));
    const rights = user.integer('Rights') ?? 0;
    if ((rights & RIGHT.enabled) === 0) return undefined;
    const trade = main && (rights & (RIGHT.tradeDisabled | RIGHT.readonly)) === 0;
    return { isMain: main, trade, passwordChangedAt: user.text('LastPassChange') ?? '' };
  }

  /** Ends sessions whose account was disabled or removed, or whose password changed. */
  async recheck(): Promise<void> {
    const { state, now, onError } = this.#parts;
    try {
      await this.#endUnallowed(await state.sessions.dueForCheck(now() - RECHECK_MS));
    } catch (error) {
      onError(error);
    }
  }

  /** The bridge changed an account, or all of them may have changed: their sessions are looked at now. Never throws. */
  async accountChanged(login: number | undefined): Promise<void> {
    const { state, onError } = this.#parts;
    try {
      await this.#endUnallowed(await state.sessions.list(login === undefined ? {} : { login }));
    } catch (error) {
      onError(error);
    }
  }

  async #endUnallowed(due: readonly ConsumerSession[]): Promise<void> {
    const { sessions } = this.#parts.state;
    for (const session of due) {
      if (this.#closed) return;
      const reason = await this.#endReason(session);
      if (reason === undefined) await sessions.checked(session.id);
      else await sessions.revoke(session.id, reason);
    }
  }

  async #endReason(session: ConsumerSession): Promise<string | undefined> {
    const { books, now } = this.#parts;
    const context = { deadlineAtMs: now() + RECHECK_TIMEOUT_MS, signal: new AbortController().signal };
    const found = await books.optional(books.user(session.login, context));
    if (!found) return 'the account is gone';
    const user = new Fields(found);
    const rights = user.integer('Rights') ?? 0;
    if ((rights & RIGHT.enabled) === 0) return 'the account was disabled';
    if ((user.text('LastPassChange') ?? '') !== session.passwordChangedAt) return 'the password was changed';
    if (session.scopes.includes('trade') && (rights & (RIGHT.tradeDisabled | RIGHT.readonly)) !== 0)
      return 'the account may not trade any more';
    return undefined;
  }
}
