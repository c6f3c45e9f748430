/** Slices that a feed follows, by key. */
export class Followed<Slice> {
  protected readonly followed = new Map<string, Slice>();

  get size(): number {
    return this.followed.size;
  }

  keys(): Iterable<string> {
    return this.followed.keys();
  }

  isFollowed(key: string): boolean {
    return this.followed.has(key);
  }

  forget(keys: Iterable<string>): void {
    for (const key of keys) this.followed.delete(key);
  }
}
