export interface StreamJob {
  /** ws: or wss:, with the path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clients: number;
  /** So many of them look into every frame; the others count. */
  readonly readers: number;
  readonly symbols: readonly string[];
  /** Counting clients on plain TCP: for rates that the library's client cannot take. */
  readonly raw?: boolean;
  readonly warmUpMs: number;
  readonly durationMs: number;
}

export interface StreamResult {
  readonly connected: number;
  /** From opening the first connection to the last acknowledgement. */
  readonly subscribedAfterMs: number;
  readonly durationMs: number;
  /** Frames of all clients, and bytes of their text. */
  readonly frames: number;
  readonly bytes: number;
  /** Ticks that the readers saw, and how many readers there were. */
  readonly ticksRead: number;
  readonly readers: number;
  /** Tick's own time → arrival, from the readers. */
  readonly histogram: string;
  /** Ping → pong of the readers; `undefined` where nothing answered. */
  readonly pingsMs?: { readonly p50: number; readonly p99: number };
  readonly gaps: number;
  readonly closed: number;
  readonly generatorCpuMs: number;
  readonly firstFailure?: string;
}
