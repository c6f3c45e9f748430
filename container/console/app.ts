import { BridgeRequestError, createBridgeClient, type BridgeClient } from '../client/index.ts';
import type { Zone } from './format.ts';
import { keptKey, keepKey } from './kept-key.ts';
import { type Buckets, bucketsOf, type Metrics, quantileMs, since } from './metrics.ts';
import type { Confirmation, Model, Told } from './model.ts';
import { NO_QUOTES, Quotes } from './quotes.ts';
import { allows, type Answers, SOURCE_NAMES, type SourceName, SOURCES } from './sources.ts';

const TICK_MS = 1_000;
/** An answer that takes longer is not waited for: the next look may be quicker. */
const ASK_TIMEOUT_MS = 20_000;
/** Good news is old soon; bad news stays until it is put away. */
const NOTICE_MS = 30_000;
/** Quantiles that are drawn: two hours of looks every ten seconds. */
const KEPT_SAMPLES = 720;

const SIGNED_OUT = {
  phase: 'signed-out',
  signInFault: undefined,
  self: undefined,
  brokerPath: '',
  told: {},
  quotes: NO_QUOTES,
  latency: [],
  confirmation: undefined,
  isActing: false,
  notice: undefined,
} as const satisfies Partial<Model>;

/** Signs in, asks, acts; whoever draws hears of every change. The key is in this object's memory and nowhere else. */
export class App {
  readonly #onChange: (model: Model) => void;
  #model: Model = { ...SIGNED_OUT, nowMs: Date.now(), zone: 'utc' };
  #key: string | undefined;
  #client: BridgeClient | undefined;
  #quotes: Quotes | undefined;
  /** Ends what was asked before the broker was changed, or the key was put away. */
  #life = new AbortController();
  /** Of the look before. */
  #durations: Buckets | undefined;
  readonly #askedAtMs = new Map<SourceName, number>();
  readonly #underWay = new Set<SourceName>();

  constructor(onChange: (model: Model) => void) {
    this.#onChange = onChange;
    setInterval(() => this.#tick(), TICK_MS);
    document.addEventListener('visibilitychange', () => this.#tick());
    const kept = keptKey();
    if (kept === undefined) this.#show({});
    else void this.signIn(kept, true);
  }

  get model(): Model {
    return this.#model;
  }

  async signIn(key: string, keep: boolean): Promise<void> {
    this.#show({ phase: 'signing-in', signInFault: undefined });
    const client = createBridgeClient({ baseUrl: location.origin, key, retries: 0 });
    try {
      const { data: self } = await client.GET('/v1/keys/self');
      this.#key = key;
      keepKey(keep ? key : undefined);
      this.#show({ phase: 'signed-in', self });
      this.#enter('');
    } catch (error) {
      keepKey(undefined);
      this.#show({ phase: 'signed-out', signInFault: wordsOf(error) });
    }
  }

  signOut(why?: string): void {
    this.#leave();
    this.#key = undefined;
    this.#client = undefined;
    keepKey(undefined);
    this.#show({ ...SIGNED_OUT, signInFault: why });
  }

  chooseBroker(path: string): void {
    this.#leave();
    this.#enter(path);
  }

  chooseZone(zone: Zone): void {
    this.#show({ zone });
  }

  follow(symbols: readonly string[]): void {
    if (!this.#client) return;
    this.#quotes?.stop();
    this.#quotes = new Quotes({
      client: this.#client,
      symbols,
      onView: (quotes) => this.#show({ quotes }),
      onSystem: () => this.#forget(['status', 'journal', 'policy', 'checkpoint']),
    });
  }

  unfollow(): void {
    this.#quotes?.stop();
    this.#quotes = undefined;
    this.#show({ quotes: { ...NO_QUOTES, symbols: this.#model.quotes.symbols } });
  }

  chooseQuote(symbol: string): void {
    this.#quotes?.choose(symbol);
  }

  confirm(confirmation: Confirmation | undefined): void {
    this.#show({ confirmation });
  }

  /** Does what was asked for. Never throws: what came of it is shown. */
  async act(confirmation: Confirmation, reason: string): Promise<void> {
    this.#show({ isActing: true, notice: undefined });
    const notice = await confirmation.run(reason).then(
      (text) => ({ text, isBad: false, untilMs: Date.now() + NOTICE_MS }),
      (error: unknown) => ({ text: `${confirmation.title}: ${wordsOf(error)}`, isBad: true, untilMs: Infinity }),
    );
    this.#show({ isActing: false, confirmation: undefined, notice });
    this.#forget(SOURCE_NAMES);
  }

  dismiss(): void {
    this.#show({ notice: undefined });
  }

  /** For actions. @throws Error nobody is signed in */
  get client(): BridgeClient {
    if (!this.#client) throw new Error('Nobody is signed in.');
    return this.#client;
  }

  #enter(brokerPath: string): void {
    const key = this.#key;
    if (key === undefined) return;
    this.#life = new AbortController();
    this.#client = createBridgeClient({ baseUrl: location.origin + brokerPath, key, retries: 0 });
    this.#askedAtMs.clear();
    this.#durations = undefined;
    this.#show({ brokerPath, told: {}, latency: [], quotes: NO_QUOTES, notice: undefined });
    this.#tick();
  }

  #leave(): void {
    this.#life.abort();
    this.#quotes?.stop();
    this.#quotes = undefined;
    this.#underWay.clear();
  }

  #tick(): void {
    const nowMs = Date.now();
    this.#show({ nowMs });
    if (nowMs >= (this.#model.notice?.untilMs ?? Infinity)) this.dismiss();
    if (this.#model.phase !== 'signed-in' || document.visibilityState !== 'visible') return;
    for (const name of SOURCE_NAMES) if (this.#isDue(name)) void this.#ask(name);
  }

  #isDue(name: SourceName): boolean {
    const { scope, everyMs, edgeOnly } = SOURCES[name];
    // Known with the first status.
    if (edgeOnly && !this.#model.told.status?.data?.sleep) return false;
    if (!allows(this.#model.self?.scopes ?? [], scope) || this.#model.told[name]?.absent) return false;
    return Date.now() - (this.#askedAtMs.get(name) ?? 0) >= everyMs;
  }

  /** Asked again at the next tick. */
  #forget(names: readonly SourceName[]): void {
    for (const name of names) this.#askedAtMs.delete(name);
    this.#tick();
  }

  async #ask(name: SourceName): Promise<void> {
    const client = this.#client;
    if (!client || this.#underWay.has(name)) return;
    const { signal: life } = this.#life;
    this.#underWay.add(name);
    this.#askedAtMs.set(name, Date.now());
    try {
      const signal = AbortSignal.any([life, AbortSignal.timeout(ASK_TIMEOUT_MS)]);
      const data = await SOURCES[name].ask(client, signal, this.#model.self?.scopes ?? []);
      if (!life.aborted) this.#tell(name, { data, atMs: Date.now() });
    } catch (error) {
      if (life.aborted) return;
      const { status = 0, code } = error instanceof BridgeRequestError ? error : {};
      if (code === 'unauthenticated') return this.signOut(wordsOf(error));
      const absent = status === 404 || status === 501;
      this.#tell(name, { ...this.#model.told[name], fault: wordsOf(error), absent });
    } finally {
      if (!life.aborted) this.#underWay.delete(name);
    }
  }

  #tell<Name extends SourceName>(name: Name, told: Told<Name>): void {
    const before = this.#model.told.status?.data;
    this.#show({ told: { ...this.#model.told, [name]: told } });
    if (name === 'metrics' && told.data) this.#sample(told.data as Answers['metrics'], told.atMs ?? 0);
    const { status } = this.#model.told;
    if (name !== 'status' || !before || !status?.data || isSameLife(before, status.data)) return;
    this.#forget(['journal', 'policy', 'checkpoint', 'trading', 'operations', 'brokers']);
  }

  /** How quick the requests between two looks were. */
  #sample(metrics: Metrics, atMs: number): void {
    const all = bucketsOf(metrics, 'mt5_http_request_duration_seconds');
    const before = this.#durations;
    this.#durations = all;
    if (!before) return;
    const recent = since(all, before);
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantileMs(recent, share));
    const sample = { atMs, p50: p50 ?? null, p95: p95 ?? null, p99: p99 ?? null };
    this.#show({ latency: [...this.#model.latency, sample].slice(-KEPT_SAMPLES) });
  }

  #show(change: Partial<Model>): void {
    this.#model = { ...this.#model, ...change };
    this.#onChange(this.#model);
  }
}

/** Nothing happened between two looks that the journal would tell of. */
const isSameLife = (a: Answers['status'], b: Answers['status']): boolean =>
  a.container.sinceMs === b.container.sinceMs &&
  a.container.state === b.container.state &&
  a.session.state === b.session.state &&
  a.session.epoch === b.session.epoch &&
  a.container.unsettled === b.container.unsettled;

function wordsOf(error: unknown): string {
  if (error instanceof BridgeRequestError && error.code === 'unauthenticated')
    return 'The bridge does not know this key, or it is revoked or has expired.';
  if (error instanceof BridgeRequestError && error.status === 0) return 'The bridge does not answer.';
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'The bridge does not answer in time.';
  return error instanceof Error ? error.message : String(error);
}
