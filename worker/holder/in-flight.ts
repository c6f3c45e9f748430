/**
 * Forwarded requests whose answer has not begun. The library's own counter never comes down for a request that was
 * aborted and never answered (containers#241), which keeps a container awake and billed for ever: here an entry counts
 * until its deadline, whatever happens to it.
 */
export class InFlight {
  readonly #deadlines = new Map<symbol, number>();

  /** @returns the function that ends it; harmless when called again */
  begin(deadlineAtMs: number): () => void {
    const id = Symbol('request');
    this.#deadlines.set(id, deadlineAtMs);
    return () => this.#deadlines.delete(id);
  }

  count(nowMs: number): number {
    for (const [id, deadlineAtMs] of this.#deadlines) if (deadlineAtMs < nowMs) this.#deadlines.delete(id);
    return this.#deadlines.size;
  }
}
