import type { Command, Dealer, Upstream } from '../../session/upstream.ts';
import type { SymbolsApi } from '../../state/state-api.ts';

/** A symbol that goes on being used is written down so often. */
const NOTE_AGAIN_MS = 3_600_000;
/** What is used at about one time is written down together. */
const GATHER_MS = 1_000;
/** Of one command: a stream of whole symbol trees names thousands. */
const MOST_OF_ONE = 100;
/** Lists of symbols that are asked for again and again; forgotten all at once beyond. */
const MOST_LISTS = 1_000;

/** Reads that tell of somebody's interest in a price now. */
const QUOTES: ReadonlySet<string> = new Set(['tick/last', 'tick/last_group', 'tick/stat']);

export interface SymbolsInUseOptions {
  readonly state: SymbolsApi;
  readonly now: () => number;
  /** They are written down. */
  readonly onUsed: (names: readonly string[]) => void;
  readonly onError: (error: unknown) => void;
}

/** Which symbols are traded, quoted or streamed, as the commands that go to the server tell. */
export class SymbolsInUse {
  readonly #options: SymbolsInUseOptions;
  /** Lists as commands name them, and when they were last taken apart. */
  readonly #lists = new Map<string, number>();
  readonly #noted = new Map<string, number>();
  readonly #pending = new Set<string>();

  constructor(options: SymbolsInUseOptions) {
    this.#options = options;
  }

  /** The same upstream, heard. */
  hearing(upstream: Upstream): Upstream {
    const heard = (dealer: Dealer): Dealer => ({
      get isAvailable() {
        return dealer.isAvailable;
      },
      get generation() {
        return dealer.generation;
      },
      mutate: (command, options) => {
        this.#hear(command);
        return dealer.mutate(command, options);
      },
      read: (command, generation, options) => {
        this.#hear(command);
        return dealer.read(command, generation, options);
      },
    });
    const [first, ...others] = upstream.dealers;
    return {
      read: (command, options) => {
        this.#hear(command);
        return upstream.read(command, options);
      },
      mutate: (command, options) => upstream.mutate(command, options),
      dealers: [heard(first), ...others.map(heard)],
    };
  }

  #hear(command: Command): void {
    const list = symbolsOf(command);
    if (list === undefined) return;
    const nowMs = this.#options.now();
    if (nowMs - (this.#lists.get(list) ?? -Infinity) < NOTE_AGAIN_MS) return;
    if (this.#lists.size >= MOST_LISTS) this.#lists.clear();
    this.#lists.set(list, nowMs);
    for (const name of list.split(',').slice(0, MOST_OF_ONE)) {
      // Masks are no names; what is that long is none either.
      if (name === '' || name.length > 128 || /[*!]/.test(name)) continue;
      if (nowMs - (this.#noted.get(name) ?? -Infinity) < NOTE_AGAIN_MS) continue;
      if (this.#noted.size >= MOST_LISTS) this.#noted.clear();
      this.#noted.set(name, nowMs);
      if (this.#pending.size === 0) setTimeout(() => void this.#write(), GATHER_MS).unref();
      this.#pending.add(name);
    }
  }

  async #write(): Promise<void> {
    const names = [...this.#pending];
    this.#pending.clear();
    try {
      await this.#options.state.used(names);
      this.#options.onUsed(names);
    } catch (error) {
      // Their next use is written down.
      for (const name of names) this.#noted.delete(name);
      this.#lists.clear();
      this.#options.onError(error);
    }
  }
}

function symbolsOf({ path, query, rawQuery, body }: Command): string | undefined {
  if (QUOTES.has(path))
    return (
      query?.find(([name]) => name === 'symbol')?.[1] ??
      (rawQuery === undefined ? undefined : (new URLSearchParams(rawQuery).get('symbol') ?? undefined))
    );
  if (path !== 'dealer/send_request' || typeof body !== 'string') return undefined;
  return /"Symbol"\s*:\s*"([^"\\]{1,128})"/.exec(body)?.[1];
}
