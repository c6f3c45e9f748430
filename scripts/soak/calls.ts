import type { Violations } from './violations.ts';

/** A request is answered within this time, whatever happens (REQUEST_DEADLINE_SECONDS, and the same on a VPS). */
export const DEADLINE_MS = 30_000;
/** For the way there and back, and a busy machine. */
const SLACK_MS = 2_000;
const STALL_LOOK_MS = 250;
/** Nothing comes so late: the caller gives up. */
const GIVE_UP_MS = DEADLINE_MS + 60_000;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Every request of a soak goes through here: timed, and its answer looked through for secrets. */
export class Calls {
  readonly counts = new Map<string, number>();
  readonly #samples = new Set<string>();
  /** Time that this process itself did not get: the machine stood still, or was given to others. */
  stalledMs = 0;
  #pausedMs = 0;
  #pausedSinceMs: number | undefined;
  readonly #urls: readonly string[];
  #sent = 0;
  readonly #violations: Violations;
  readonly #secrets: readonly string[];

  constructor(urls: readonly string[], secrets: readonly string[], violations: Violations) {
    this.#urls = urls;
    this.#secrets = secrets;
    this.#violations = violations;
  }

  /** From here on stalls of the machine count for no deadline. @returns what ends it */
  watchStalls(say: (line: string) => void): () => void {
    let lastMs = Date.now();
    const timer = setInterval(() => {
      const lateMs = Date.now() - lastMs - STALL_LOOK_MS;
      lastMs = Date.now();
      if (lateMs < STALL_LOOK_MS) return;
      this.stalledMs += lateMs;
      say(`the machine stood still for ${lateMs} ms`);
      if (this.#pausedSinceMs === undefined) this.#pausedMs += lateMs;
    }, STALL_LOOK_MS);
    return () => clearInterval(timer);
  }

  /** Nobody can be answered now: the time counts for no deadline. */
  pause(): void {
    this.#pausedSinceMs ??= Date.now();
  }

  resume(): void {
    if (this.#pausedSinceMs !== undefined) this.#pausedMs += Date.now() - this.#pausedSinceMs;
    this.#pausedSinceMs = undefined;
  }

  /** `undefined`: no answer came, since nothing listens or the connection broke. */
  async send(path: string, key: string, init: RequestInit = {}): Promise<Answer | undefined> {
    const url = this.#urls[this.#sent++ % this.#urls.length] ?? '';
    const startedAtMs = Date.now();
    const pausedBeforeMs = this.#paused();
    const signal = AbortSignal.any([AbortSignal.timeout(GIVE_UP_MS), ...(init.signal ? [init.signal] : [])]);
    let answer: Answer | undefined;
    try {
      const response = await fetch(url + path, {
        ...init,
        signal,
        headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${key}` },
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') ?? false;
      const body = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
      answer = { status: response.status, headers: response.headers, text, body };
      for (const secret of this.#secrets)
        if (text.includes(secret)) this.#violations.note('secret in an answer', `${path} ${response.status}`);
    } catch (error) {
      if (init.signal?.aborted) return undefined;
      this.#count(`no answer (${error instanceof Error ? error.name : 'error'})`);
    }
    const tookMs = Date.now() - startedAtMs - (this.#paused() - pausedBeforeMs);
    if (tookMs > DEADLINE_MS + SLACK_MS)
      this.#violations.note(
        'after its deadline',
        `${init.method ?? 'GET'} ${path}: ${answer?.status} in ${tookMs} ms since ${new Date(startedAtMs).toISOString()} (${answer?.headers.get('server-timing')})`,
      );
    if (!answer) return undefined;
    const code = typeof answer.body['code'] === 'string' ? ` ${answer.body['code']}` : '';
    this.#count(`${answer.status}${code}`);
    if (answer.status >= 400 && !this.#samples.has(code)) {
      this.#samples.add(code);
      console.error(`[soak] for example ${answer.status} ${path}: ${answer.text.slice(0, 400)}`);
    }
    if (answer.status === 500) this.#violations.note('status 500', `${path}: ${answer.text.slice(0, 300)}`);
    return answer;
  }

  #paused(): number {
    return this.#pausedMs + (this.#pausedSinceMs === undefined ? 0 : Date.now() - this.#pausedSinceMs);
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}
