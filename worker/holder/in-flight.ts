/**
 * Forwarded requests whose answer has not begun. The library's own counter never comes down for a request that was
 * aborted and never answered (containers#241), which keeps a container awake and billed for ever: here an entry counts
 * until its deadline, whatever happens to it.
 */
export class InFlight {
  readonly #deadlines = new Map<symbol, number>();
  readonly #sends = new Set<AbortController>();

  /** @returns the function that ends it; harmless when called again */
  begin(deadlineAtMs: number): () => void {
    const id = Symbol('request');
    this.#deadlines.set(id, deadlineAtMs);
    return () => this.#deadlines.delete(id);
  }

  /** One sending of a request; `signal` ends it after `timeoutMs`, or when its process was given up. */
  send(timeoutMs: number): { readonly signal: AbortSignal; readonly done: () => void } {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new DOMException('no answer in time', 'TimeoutError')), timeoutMs);
    this.#sends.add(controller);
    const done = (): void => {
      clearTimeout(timer);
      this.#sends.delete(controller);
    };
    return { signal: controller.signal, done };
  }

  /** Nothing that was sent will be answered. */
  abort(reason: Error): void {
    for (const controller of this.#sends) controller.abort(reason);
    this.#sends.clear();
  }

  count(nowMs: number): number {
    for (const [id, deadlineAtMs] of this.#deadlines) if (deadlineAtMs < nowMs) this.#deadlines.delete(id);
    return this.#deadlines.size;
  }
}
