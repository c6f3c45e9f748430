import { HEADER } from '../../container/contract/headers.ts';

/** Where the time of one request went in the Durable Object. The clock of workerd moves with input and output only. */
export class ForwardTimings {
  readonly #now: () => number;
  readonly #startedAtMs: number;
  #startMs = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#startedAtMs = now();
  }

  get totalMs(): number {
    return this.#now() - this.#startedAtMs;
  }

  /** Waiting for a container that listens. */
  async starting<T>(start: Promise<T>): Promise<T> {
    const startedAtMs = this.#now();
    try {
      return await start;
    } finally {
      this.#startMs += this.#now() - startedAtMs;
    }
  }

  /** Adds its phases to those that the container tells. */
  stamped(answer: Response): Response {
    if (answer.webSocket) return answer;
    const stamped = new Response(answer.body, answer);
    stamped.headers.append(HEADER.serverTiming, `start;dur=${this.#startMs}, holder;dur=${this.totalMs}`);
    return stamped;
  }
}
