import type { Counts } from '../../container/state/cost/usage.ts';

/** The telling is a request itself. */
const TELL_EVERY_MS = 5 * 60_000;

/** What the hub's part of the bill is of; told to the object that keeps the month's counts while somebody listens. */
export class HubCounts {
  readonly #told: (counts: Counts) => void;
  #toldAtMs: number | undefined;
  #messages = 0;
  #objectRequests = 0;
  #hubSeconds = 0;

  constructor(tell: (counts: Counts) => void) {
    this.#told = tell;
  }

  add({ messages = 0, objectRequests = 0, hubSeconds = 0 }: Counts): void {
    this.#messages += messages;
    this.#objectRequests += objectRequests;
    this.#hubSeconds += hubSeconds;
  }

  tell(nowMs: number): void {
    this.#toldAtMs ??= nowMs;
    if (nowMs - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = nowMs;
    this.#told({ messages: this.#messages, objectRequests: this.#objectRequests, hubSeconds: this.#hubSeconds });
    this.#messages = this.#objectRequests = this.#hubSeconds = 0;
  }
}
