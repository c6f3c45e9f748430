/** Rows looked at before others have their turn: about 3 ms of work. */
const ROWS_AT_ONCE = 50;

/** Parts of a long list, with turns of the event loop between them: orders do not wait until all of it was looked at. */
export async function* inParts<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[], void, undefined> {
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve));
    yield rows.slice(at, at + ROWS_AT_ONCE);
  }
}
