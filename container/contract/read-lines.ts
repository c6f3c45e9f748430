/** A stream of bytes, as `fetch` gives it in every runtime. */
interface ByteStream {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/** The last line of a list: it was all, or why it is not. */
interface End {
  readonly end: boolean;
  readonly items: number;
  readonly problem?: unknown;
}

/**
 * The items of a list that comes as lines, as they come. A list that breaks off is never taken for whole.
 * @param failure the error of a list whose last line tells a problem
 * @throws Error where the last line is missing
 */
export async function* readLines<Item>(
  body: ByteStream,
  failure: (problem: unknown) => Error,
): AsyncGenerator<Item, void, undefined> {
  let items = 0;
  for await (const line of linesOf(body)) {
    const row = JSON.parse(line) as Item | End;
    if (isEnd(row)) {
      if (row.end) return;
      throw failure(row.problem);
    }
    items++;
    yield row;
  }
  throw new Error(`The list was cut after ${items} items: its last line is missing.`);
}

const isEnd = (row: unknown): row is End =>
  typeof row === 'object' && row !== null && typeof (row as { end?: unknown }).end === 'boolean';

async function* linesOf(body: ByteStream): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + decoder.decode(part.value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    // Whoever stops early is not sent the rest.
    await reader.cancel().catch(() => undefined);
  }
}
