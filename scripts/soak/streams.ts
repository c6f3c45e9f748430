import { openStream } from '../../container/client/streams.ts';
import { TRADED_LOGINS } from './load.ts';

/** One client of the deal stream, with the project's own client library, over every loss of its connection. */
export class DealWatch {
  readonly tickets: string[] = [];
  gaps = 0;
  readonly #ready = Promise.withResolvers<void>();
  readonly #work: Promise<void>;

  constructor(url: string, key: string, signal: AbortSignal) {
    this.#work = this.#read(url, key, signal);
    this.#work.catch((error: unknown) => this.#ready.reject(error));
  }

  /** The first snapshot has come: from now on every deal must. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get ended(): Promise<void> {
    return this.#work;
  }

  async #read(url: string, key: string, signal: AbortSignal): Promise<void> {
    for await (const event of openStream('deals', { logins: [...TRADED_LOGINS] }, { baseUrl: url, key, signal })) {
      if (event.type === 'snapshot') this.#ready.resolve();
      if (event.type === 'gap') this.gaps += 1;
      if (event.type === 'delta') this.tickets.push(...event.data.map(({ ticket }) => ticket));
    }
  }
}
