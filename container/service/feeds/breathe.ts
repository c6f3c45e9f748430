/** Rows looked at before others have their turn: about 10 ms of work. */
const ROWS_AT_ONCE = 200;

/** Parts of a long answer, with turns of the event loop between them: orders do not wait for a poll to be compared. */
export async function* inParts<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve));
    yield rows.slice(at, at + ROWS_AT_ONCE);
  }
}
