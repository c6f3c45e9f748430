const MOST_TOLD = 20;

/** What should never have happened, counted by kind, with the first few of each in words. */
export class Violations {
  readonly #found = new Map<string, string[]>();
  readonly #counts = new Map<string, number>();

  note(kind: string, detail: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    const told = this.#found.get(kind) ?? [];
    this.#found.set(kind, told);
    if (told.length < MOST_TOLD) told.push(detail);
    if (told.length <= 3) console.error(`[soak] VIOLATION ${kind}: ${detail}`);
  }

  get count(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  get lines(): string[] {
    return [...this.#found].flatMap(([kind, told]) => [
      `${kind}: ${this.#counts.get(kind)}`,
      ...told.map((detail) => `  ${detail}`),
    ]);
  }
}
