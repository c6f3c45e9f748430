import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, Calls } from './calls.ts';
import { Random } from './random.ts';
import type { Violations } from './violations.ts';

/** Accounts that are traded on, each by one trader, and those that are only read. */
export const TRADED_LOGINS = [1001, 1002, 1003, 1004, 1005, 1006] as const;
const READ_LOGINS = Array.from({ length: 30 }, (_, i) => 1001 + i);
const READERS = 12;
/** Between two requests of one caller. */
const PAUSE_MS = { from: 20, to: 300 };
/** One of so many reads is given up by its caller. */
const LEAVES_ONE_IN = 12;
/** One of so many writes is sent by several callers at once. */
const SHARED_ONE_IN = 8;

/** What became of one write, as its caller was told. */
export interface Told {
  readonly key: string;
  readonly login: number;
  outcome: 'executed' | 'refused' | 'open';
}

export interface LoadParts {
  readonly calls: Calls;
  readonly key: string;
  readonly seed: number;
  readonly violations: Violations;
  readonly signal: AbortSignal;
}

/** Callers that read, and callers that trade, until the signal. */
export class Load {
  readonly told: Told[] = [];
  readonly #parts: LoadParts;
  readonly #work: Promise<unknown>[];

  constructor(parts: LoadParts) {
    this.#parts = parts;
    this.#work = [
      ...Array.from({ length: READERS }, (_, i) => this.#reader(new Random(parts.seed * 1000 + i))),
      ...TRADED_LOGINS.map((login, i) => this.#trader(login, new Random(parts.seed * 1000 + 500 + i))),
    ];
  }

  /** All have had their last answer. */
  async ended(): Promise<void> {
    await Promise.all(this.#work);
  }

  async #reader(random: Random): Promise<void> {
    const { calls, key, signal } = this.#parts;
    const paths = [
      () => `/v1/accounts/${random.of(READ_LOGINS)}`,
      () => `/v1/positions?logins=${random.of(TRADED_LOGINS)}`,
      () => `/v1/symbols/EURUSD`,
      () => `/v1/quotes?symbols=EURUSD,GBPUSD`,
      () => `/api/user/get?login=${random.of(READ_LOGINS)}`,
      () => '/v1/status',
      () => '/readyz',
    ];
    while (!signal.aborted) {
      const leaving = random.between(1, LEAVES_ONE_IN) === 1;
      const init = leaving ? { signal: AbortSignal.timeout(random.between(1, 400)) } : {};
      await calls.send(random.of(paths)(), key, init);
      await this.#pause(random);
    }
  }

  async #trader(login: number, random: Random): Promise<void> {
    const { seed, signal } = this.#parts;
    for (let i = 0; !signal.aborted; i++) {
      const told: Told = { key: `soak-${seed}-${login}-${i}`, login, outcome: 'open' };
      this.told.push(told);
      const request = this.#request(login, random);
      const callers = random.between(1, SHARED_ONE_IN) === 1 ? 3 : 1;
      await Promise.all(Array.from({ length: callers }, () => this.#write(told, request, random)));
      await this.#pause(random);
    }
  }

  #request(login: number, random: Random): { path: string; body: object } {
    const side = random.of(['buy', 'sell']);
    switch (random.of(['market', 'market', 'limit', 'balance'])) {
      case 'balance':
        return {
          path: `/v1/accounts/${login}/balance`,
          body: { kind: 'balance', amount: random.of(['100.00', '1.00']), comment: 'soak' },
        };
      case 'limit':
        return {
          path: '/v1/orders',
          body: { login, symbol: 'EURUSD', side: 'buy', type: 'limit', volume: '0.01', price: '0.50000' },
        };
      default:
        return { path: '/v1/orders', body: { login, symbol: 'EURUSD', side, type: 'market', volume: '0.01' } };
    }
  }

  /** As a client does by the documents: the same key until the outcome is known, or nobody can tell now. */
  async #write(told: Told, { path, body }: { path: string; body: object }, random: Random): Promise<void> {
    const { calls, key, signal } = this.#parts;
    for (let attempt = 0; attempt < 40; attempt++) {
      const answer = await calls.send(path, key, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': told.key },
        body: JSON.stringify(body),
      });
      const next = nextStep(answer);
      if (next === 'executed' || next === 'refused') {
        this.#conclude(told, next);
        return;
      }
      // The ledger is asked at the end.
      if (next === 'open') return;
      if (signal.aborted && attempt > 3) return;
      await delay(random.between(200, 1_500));
    }
  }

  #conclude(told: Told, outcome: 'executed' | 'refused'): void {
    if (told.outcome !== 'open' && told.outcome !== outcome)
      this.#parts.violations.note('told two things', `${told.key}: ${told.outcome}, then ${outcome}`);
    told.outcome = outcome;
  }

  #pause(random: Random): Promise<void> {
    return delay(random.between(PAUSE_MS.from, PAUSE_MS.to));
  }
}

function nextStep(answer: Answer | undefined): 'executed' | 'refused' | 'open' | 'again' {
  if (!answer) return 'again';
  if (answer.status === 200 || answer.status === 201) {
    const operation = answer.body['operation'] as { state?: string } | undefined;
    return operation?.state === 'not_executed' || operation?.state === 'unresolved' ? 'open' : 'executed';
  }
  if (answer.status === 202) return 'open';
  const { outcome, retry } = answer.body as { outcome?: string; retry?: string };
  if (outcome === 'not_sent' && (retry === 'after' || retry === 'yes')) return 'again';
  if (answer.body['code'] === 'operation_in_flight') return 'again';
  return outcome === 'refused' ? 'refused' : 'open';
}
