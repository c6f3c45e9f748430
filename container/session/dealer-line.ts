import type { JobRequest } from './job-queue.ts';
import type { Session } from './session.ts';
import type { CallOptions, Command, Dealer, MutateOptions, Reply } from './upstream.ts';

/** What a line needs of its pool. */
export interface LinePool {
  run(request: JobRequest): Promise<Reply>;
  connections(): number;
}

/**
 * A connection that deals: requests and the polling of their results stay on the one that sent them (mt5-webapi §3.7).
 * It is chosen with the first dealer request, and kept for as long as it lives; the next one is of another generation.
 */
export class DealerLine implements Dealer {
  readonly #pool: LinePool;
  readonly #index: number;
  readonly #generationOf = new WeakMap<Reply, number>();
  #session: Session | undefined;
  #generation = 0;

  constructor(pool: LinePool, index: number) {
    this.#pool = pool;
    this.#index = index;
  }

  get generation(): number {
    return this.#generation;
  }

  get isAvailable(): boolean {
    return this.#index === 0 || this.#session !== undefined || this.#pool.connections() > this.#index;
  }

  async mutate(command: Command, options: MutateOptions): Promise<Reply & { readonly generation: number }> {
    const reply = await this.#pool.run({ ...options, kind: 'dealer_write', line: this, command });
    return Object.assign(reply, { generation: this.#generationOf.get(reply) ?? this.#generation });
  }

  read(command: Command, generation: number | undefined, options: CallOptions): Promise<Reply> {
    return this.#pool.run({ ...options, kind: 'dealer_read', line: this, command, generation });
  }

  isOn(session: Session): boolean {
    return this.#session === session;
  }

  /** Over which connection a reply came. */
  answered(reply: Reply, generation: number): void {
    this.#generationOf.set(reply, generation);
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** Somebody deals. */
  take(session: Session): void {
    this.#session = session;
    this.#generation++;
  }

  /** The session ended. */
  left(session: Session): void {
    if (this.#session === session) this.#session = undefined;
  }
}
