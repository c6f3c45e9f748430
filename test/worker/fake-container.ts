import { HEARTBEAT_TIMINGS } from '../../worker/holder/heartbeat.ts';

/** What answers on the port of a fake container. One object per process, a new one at each start. */
export interface FakeProgram {
  fetch(request: Request): Response | Promise<Response>;
  /** SIGTERM came. Absent: the process exits with 0 at once. */
  onTerminate?(): void;
}

export interface FakeStart {
  readonly env: Readonly<Record<string, string>>;
  readonly exit: (code: number) => void;
}

/**
 * Stands in for `ctx.container` under the real `Container` class, where the test pool has none. It outlives the Durable
 * Object, as a container does in production: `of` finds the one that belongs to an id.
 */
export class FakeContainer {
  static readonly #all = new Map<string, FakeContainer>();

  readonly starts: FakeStart[] = [];
  readonly signals: number[] = [];
  /** Variables of its Durable Object over those of all. */
  variables: Readonly<Record<string, string>> = {};
  /** What the Durable Object finds where its VPS should be. */
  vps: { fetch(url: string, init: RequestInit): Promise<Response> } | undefined;
  /** Makes the program of the next start. */
  program: (start: FakeStart) => FakeProgram = () => ({ fetch: () => new Response('no program', { status: 404 }) });
  /** The next start fails so, at the platform. */
  failNextStart: Error | undefined;
  /** Connections are refused though the process runs. */
  isListening = true;
  /** The process runs no further: connections are taken, nothing is answered. */
  isFrozen = false;
  heartbeat = HEARTBEAT_TIMINGS;
  #lastEnd: Promise<void> | undefined;
  #process: { readonly program: FakeProgram; readonly end: PromiseWithResolvers<void> } | undefined;

  static of(id: string): FakeContainer {
    let found = FakeContainer.#all.get(id);
    if (!found) FakeContainer.#all.set(id, (found = new FakeContainer()));
    return found;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  start(options: { env?: Record<string, string> } = {}): void {
    if (this.#process) throw new Error('start() cannot be called on a container that is already running.');
    const end = Promise.withResolvers<void>();
    end.promise.catch(() => undefined);
    this.#lastEnd = end.promise;
    this.isFrozen = false;
    const start: FakeStart = { env: options.env ?? {}, exit: (code) => this.exit(code) };
    this.starts.push(start);
    this.#process = { program: this.program(start), end };
    if (this.failNextStart) {
      const error = this.failNextStart;
      this.failNextStart = undefined;
      this.fail(error.message);
    }
  }

  monitor(): Promise<void> {
    return this.#lastEnd ?? Promise.reject(new Error('not running'));
  }

  /** The process ends by itself. */
  exit(code: number): void {
    const ended = this.#process;
    this.#process = undefined;
    if (code === 0) ended?.end.resolve();
    else ended?.end.reject(new Error(`Container exited with unexpected exit code: ${code}`));
  }

  /** The platform ends it, in its own words. */
  fail(message: string): void {
    const ended = this.#process;
    this.#process = undefined;
    ended?.end.reject(new Error(message));
  }

  signal(signal: number): void {
    this.signals.push(signal);
    const program = this.#process?.program;
    if (signal === 15 && program?.onTerminate) program.onTerminate();
    else if (signal === 15) queueMicrotask(() => this.exit(0));
  }

  async destroy(): Promise<void> {
    this.exit(137);
  }

  getTcpPort(): { fetch: (url: string, init?: RequestInit) => Promise<Response> } {
    return {
      fetch: async (url, init) => {
        const process = this.#process;
        if (!process || !this.isListening)
          throw new Error('the container is not listening in the TCP address 10.0.0.1:8080');
        const lost = (): Promise<never> => Promise.reject(new Error('Network connection lost.'));
        const aborted = Promise.withResolvers<never>();
        init?.signal?.addEventListener('abort', () => aborted.reject(init.signal?.reason as Error));
        const answer = this.isFrozen
          ? aborted.promise
          : Promise.resolve(process.program.fetch(new Request(url, init))).then((response) =>
              this.#process === process ? response : lost(),
            );
        return Promise.race([answer, aborted.promise, process.end.promise.then(lost, lost)]);
      },
    };
  }
}
