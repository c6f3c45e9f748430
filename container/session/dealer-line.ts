import type { JobRequest } from './job-queue.ts';
import type { Session } from './session.ts';
import type { CallOptions, Command, Dealer, MutateOptions, Reply } from './upstream.ts';

/**
 * The connection that deals: requests and the polling of their results stay on the one that sent them (mt5-webapi §3.7).
 * It is chosen with the first dealer request, and kept for as long as it lives; the next one is of another generation.
 */
export class DealerLine implements Dealer {
  readonly #run: (request: JobRequest) => Promise<Reply>;
  readonly #generationOf = new WeakMap<Reply, number>();
  #session: Session | undefined;
  #generation = 0;

  constructor(run: (request: JobRequest) => Promise<Reply>) {
    this.#run = run;
  }

  get generation(): number {
    return this.#generation;
  }

  async mutate(command: Command, options: MutateOptions): Promise<Reply & { readonly generation: number }> {
    const reply = await this.#run({ ...options, kind: 'dealer_write', command });
    return Object.assign(reply, { generation: this.#generationOf.get(reply) ?? this.#generation });
  }

  read(command: Command, generation: number | undefined, options: CallOptions): Promise<Reply> {
    return this.#run({ ...options, kind: 'dealer_read', command, generation });
  }

  isOn(session: Session): boolean {
    return this.#session === session;
  }

  /** Somebody deals: takes the oldest session, unless it has one. */
  choose(oldest: Session | undefined): void {
    if (this.#session || !oldest) return;
    this.#session = oldest;
    this.#generation++;
  }

  /** The session ended. */
  left(session: Session): void {
    if (this.#session === session) this.#session = undefined;
  }

  /** Over which connection a reply came. */
  answered(reply: Reply, generation: number): void {
    this.#generationOf.set(reply, generation);
  }
}
