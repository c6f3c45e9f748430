import type { RequestListener } from 'node:http';

/** The requests that are being answered: how many, when none is, and whether new ones are still taken. */
export class Requests {
  /** The bridge shuts down: whoever comes is told to come back. */
  isDraining = false;
  #count = 0;
  #onIdle: (() => void) | undefined;

  get count(): number {
    return this.#count;
  }

  around(listener: RequestListener): RequestListener {
    return (request, response) => {
      this.#count++;
      response.once('close', () => {
        if (--this.#count === 0) this.#onIdle?.();
      });
      listener(request, response);
    };
  }

  /** Resolves when none is left, or after the grace. */
  idle(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#count === 0) return resolve();
      const timer = setTimeout(resolve, graceMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
