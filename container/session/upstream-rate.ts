/** So much of a second may be asked for at once: a broker that counts by the second never sees more than it was told. */
const BURST_SECONDS = 0.1;

/** The most that the broker is asked, sign-ins and heartbeats aside: a bucket that fills evenly. */
export class UpstreamRate {
  readonly #perSecond: number;
  readonly #most: number;
  #tokens: number;
  #atMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param perSecond `undefined` = as much as the sessions carry */
  constructor(perSecond: number | undefined) {
    this.#perSecond = perSecond ?? Infinity;
    this.#most = Math.max(1, this.#perSecond * BURST_SECONDS);
    this.#tokens = this.#most;
  }

  /** Between two requests at least, in the mean; 0 = no limit. */
  get intervalMs(): number {
    return 1000 / this.#perSecond;
  }

  /** Whether a request may leave now; `reserve`: beside so many others that come first. Where not, `retry` is called when one may. */
  allows(nowMs: number, reserve: number, retry: () => void): boolean {
    if (this.#waitMs(nowMs, reserve) === 0) return true;
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        retry();
      },
      this.#waitMs(nowMs, 0),
    ).unref();
    return false;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #waitMs(nowMs: number, reserve: number): number {
    if (this.#perSecond === Infinity) return 0;
    this.#tokens = Math.min(this.#most, this.#tokens + (Math.max(0, nowMs - this.#atMs) * this.#perSecond) / 1000);
    this.#atMs = nowMs;
    const lacking = Math.min(1 + reserve, this.#most) - this.#tokens;
    return lacking <= 0 ? 0 : Math.ceil((lacking * 1000) / this.#perSecond);
  }

  /** One left. */
  spend(): void {
    this.#tokens--;
  }
}
