/** A guide as `scripts/docs.ts` makes it from its Markdown. */
export interface Guide {
  /** Last part of its path. */
  readonly slug: string;
  readonly title: string;
  /** HTML, with `<!-- table: name -->` where a table of `tables.ts` belongs. */
  readonly html: string;
  /** Plain text of its parts, for the search; the first, without an id, is what stands before them. */
  readonly parts: readonly { readonly id: string; readonly title: string; readonly text: string }[];
}
