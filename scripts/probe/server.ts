import { loadConfig } from '../../container/host/config.ts';
import { SessionPool } from '../../container/session/pool.ts';
import { SESSION_TIMINGS } from '../../container/session/session.ts';
import type { Reply } from '../../container/session/upstream.ts';
import { UndiciTransport } from '../../container/transport/undici-transport.ts';
import { passwordHash } from '../../container/webapi/handshake.ts';

/** Between two questions at least; a server that is slow is left alone for as long as its last answer took. */
const PAUSE_MS = 5;
const DEADLINE_MS = 20_000;

export type Query = readonly (readonly [name: string, value: string])[];

/** One answer as it came. */
export interface Told {
  readonly status: number;
  /** `undefined`: no JSON with a retcode. */
  readonly retcode: number | undefined;
  readonly text: string;
  readonly tookMs: number;
}

/** A server that is only read, over one session: what it answers is looked at, and never printed. */
export class ProbedServer {
  readonly address: string;
  readonly build: string | null;
  readonly signInMs: number;
  questions = 0;
  #pauseMs = PAUSE_MS;
  readonly #pool: SessionPool;

  private constructor(pool: SessionPool, at: { address: string; build: string | null; signInMs: number }) {
    this.#pool = pool;
    this.address = at.address;
    this.build = at.build;
    this.signInMs = at.signInMs;
  }

  /** With the settings of the bridge (`MT5_SERVER`, `MT5_LOGIN`, `MT5_PASSWORD`, `MT5_TLS`, `MT5_PROXY`). @throws Error in words */
  static async signIn(env: Readonly<Record<string, string | undefined>>): Promise<ProbedServer> {
    // No key opens anything here: the bridge itself does not run.
    const config = loadConfig({ ...env, BRIDGE_START_SECRET: 'the-probe-serves-nobody-and-has-no-door' });
    let seen = { address: '', build: null as string | null };
    const pool = new SessionPool({
      transport: new UndiciTransport({ tls: config.tls, ...(config.proxy ? { proxy: config.proxy } : {}) }),
      gate: {
        permit: async () => ({ granted: true, permitId: 'probe' }),
        succeeded: async ({ address, serverBuild }) => {
          seen = { address, build: serverBuild };
          return { epoch: 1 };
        },
        failed: async () => ({ retryAtMs: Date.now() + 600_000 }),
      },
      addresses: config.servers,
      credentials: { login: config.login, passwordHash: passwordHash(config.password), agent: config.agent },
      timings: SESSION_TIMINGS,
      max: 1,
      preferredAddress: undefined,
      now: Date.now,
      random: Math.random,
      onEvent: () => undefined,
      onStatus: () => undefined,
    });
    const startedAtMs = performance.now();
    await pool.warm();
    return new ProbedServer(pool, { ...seen, signInMs: Math.round(performance.now() - startedAtMs) });
  }

  async ask(path: string, query: Query = []): Promise<Told> {
    this.questions += 1;
    // A server that people trade on is not to be pressed: half of one session's time at most.
    await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
    const startedAtMs = performance.now();
    const reply: Reply = await this.#pool.read({ path, query }, { deadlineAtMs: Date.now() + DEADLINE_MS });
    const tookMs = performance.now() - startedAtMs;
    this.#pauseMs = Math.max(PAUSE_MS, tookMs);
    return {
      status: reply.status,
      retcode: reply.retcode,
      text: new TextDecoder().decode(reply.bytes),
      tookMs,
    };
  }

  /** So many at once over the one session, one after another without a pause: how often `12 Too frequent requests` came. */
  async burst(count: number): Promise<number> {
    this.questions += count;
    const deadlineAtMs = Date.now() + DEADLINE_MS;
    const replies = await Promise.all(
      Array.from({ length: count }, () => this.#pool.read({ path: 'test/access' }, { deadlineAtMs })),
    );
    return replies.filter(({ retcode }) => retcode === 12).length;
  }

  close(): Promise<void> {
    return this.#pool.drain(1_000).then(() => undefined);
  }
}
