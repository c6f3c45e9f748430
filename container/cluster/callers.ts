import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { BridgeError, type ErrorCode, ERRORS, type Problem } from '../contract/errors.ts';
import { HEADER, INTERNAL_PATH } from '../contract/headers.ts';
import type { Caller } from '../contract/keys.ts';
import type { Authenticate } from '../http/authenticate.ts';
import { ForwardFailure, type HolderRequests } from './ask-holder.ts';
import { AGAIN_MS, type HolderWatch, MOST_TRIES_MS, noHolder } from './holder-watch.ts';
import type { Trust } from './trust.ts';

/** A key that was narrowed or revoked through another replica is so here by then, as at the Worker's doors. */
const TRUST_MS = 5_000;
/** While no holder can be asked nobody can change a key either. */
const TRUST_ALONE_MS = 60_000;
const MOST_CALLERS = 10_000;
const ASK_MS = 5_000;
/** Fits into the head of a request (16 KiB), each a hash of 71 characters. */
const PROOFS_AT_ONCE = 100;

export interface CallersOptions {
  readonly holders: HolderWatch;
  readonly requests: HolderRequests;
  readonly trust: Trust;
  readonly now: () => number;
}

interface Known {
  readonly caller: Caller;
  readonly toldAtMs: number;
}

/** Who calls, as the holder knows it: keys, sessions, their addresses and ends are looked at in one place. */
export class Callers {
  readonly #options: CallersOptions;
  readonly #known = new LRUCache<string, Known>({ max: MOST_CALLERS });
  readonly #asking = new Map<string, Promise<Caller>>();

  constructor(options: CallersOptions) {
    this.#options = options;
  }

  readonly authenticate: Authenticate = (header, { address }) => {
    const authorization = header(HEADER.authorization);
    const apiKey = header(HEADER.apiKey);
    if (authorization === undefined && apiKey === undefined) return null;
    const from = address() ?? '';
    // Keys are kept nowhere, not in memory either.
    const id = hash('sha256', JSON.stringify([authorization, apiKey, from]));
    const known = this.#known.get(id);
    if (known && this.#isValid(known, this.#options.holders.holder ? TRUST_MS : TRUST_ALONE_MS)) return known.caller;
    let asking = this.#asking.get(id);
    if (!asking) {
      const given = [HEADER.authorization, authorization, HEADER.apiKey, apiKey, HEADER.callerAddress, from];
      asking = this.#find(id, given, known).finally(() => this.#asking.delete(id));
      this.#asking.set(id, asking);
    }
    return asking;
  };

  /** Which of these proofs of traders' sessions still hold. */
  readonly stillValid = async (proofs: readonly string[]): Promise<ReadonlySet<string>> => {
    const valid: string[] = [];
    for (let i = 0; i < proofs.length; i += PROOFS_AT_ONCE) {
      const some = proofs.slice(i, i + PROOFS_AT_ONCE);
      const { status, text } = await this.#ask(`${INTERNAL_PATH.sessions}?proofs=${some.join()}`, []);
      if (status === 200) valid.push(...(JSON.parse(text) as string[]));
      else throw new Error(`The holder answered ${status} to the question about sessions.`);
    }
    return new Set(valid);
  };

  /** Keys or sessions changed: what was told is asked again. */
  forget(): void {
    this.#known.clear();
  }

  #isValid({ toldAtMs, caller }: Known, trustMs: number): boolean {
    const nowMs = this.#options.now();
    return nowMs - toldAtMs < trustMs && nowMs < (caller.expiresAtMs ?? Infinity);
  }

  async #find(id: string, given: readonly (string | undefined)[], known: Known | undefined): Promise<Caller> {
    const isStillGood = (): boolean => known !== undefined && this.#isValid(known, TRUST_ALONE_MS);
    try {
      const { status, text } = await this.#ask(INTERNAL_PATH.caller, given, isStillGood);
      if (status !== 200) throw refusalOf(text);
      const caller = JSON.parse(text) as Caller;
      this.#known.set(id, { caller, toldAtMs: this.#options.now() });
      return caller;
    } catch (error) {
      if (error instanceof BridgeError && error.code === 'no_holder' && known && isStillGood()) return known.caller;
      this.#known.delete(id);
      throw error;
    }
  }

  /** Asks again while holders change. @throws BridgeError `no_holder`, at once where `canDoWithout` */
  async #ask(
    target: string,
    given: readonly (string | undefined)[],
    canDoWithout: () => boolean = () => false,
  ): Promise<{ status: number; text: string }> {
    const { holders, requests, trust, now } = this.#options;
    const askedAtMs = now();
    for (;;) {
      const holder = await holders.get(askedAtMs, now);
      const headers = ['host', new URL(holder.url).host, HEADER.startSecret, trust.secret];
      for (let i = 0; i + 1 < given.length; i += 2) {
        const [name = '', value] = given.slice(i, i + 2);
        if (value !== undefined) headers.push(name, value);
      }
      const signal = AbortSignal.any([holder.replaced, AbortSignal.timeout(ASK_MS)]);
      const send = (upstream: { end(): unknown }): void => void upstream.end();
      try {
        const answer = await requests.ask(holder, { method: 'GET', target, headers, send, signal });
        return { status: answer.statusCode ?? 0, text: await textOf(answer) };
      } catch (error) {
        if (!(error instanceof ForwardFailure)) throw error;
        if (canDoWithout() || now() - askedAtMs >= MOST_TRIES_MS) throw noHolder();
        if (holders.holder?.token === holder.token) await holders.next(AGAIN_MS);
      }
    }
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch (error) {
    throw new ForwardFailure(error, true);
  }
  return Buffer.concat(chunks).toString();
}

/** The problem that the holder answered, as it would be thrown there. */
function refusalOf(text: string): BridgeError {
  const problem = JSON.parse(text) as Partial<Problem>;
  const isCode = (code: string | undefined): code is ErrorCode => code !== undefined && Object.hasOwn(ERRORS, code);
  const detail = problem.detail ?? 'The holder did not say who calls.';
  return new BridgeError(isCode(problem.code) ? problem.code : 'internal_error', detail);
}
