import { createClient } from '@redis/client';
import { z } from 'zod';
import { type ClusterMessage, parseClusterMessage } from '../contract/cluster.ts';
import type { LedgerMark } from '../state/ledger-fence.ts';
import { type Held, LEASE_MS, type LeaseStore, LOOK_MS, type Replica } from './lease.ts';

/** A command that is not answered by then has failed: a look is over before the next. */
const COMMAND_MS = LOOK_MS;
const CONNECT_MS = 2_000;
/** How long a candidate with another ledger is remembered after its last look. */
const APART_MS = 30_000;

/** KEYS lease, tokens, ledger, apart; ARGV who, lease ms, mark's token, mark's id, apart ms, least token. */
const ACQUIRE = `
local ledger = redis.call('GET', KEYS[3])
if ledger and ledger ~= ARGV[4] then redis.call('SET', KEYS[4], '1', 'PX', ARGV[5]) end
local held = redis.call('GET', KEYS[1])
if held then return held end
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if last < tonumber(ARGV[6]) then return false end
local token = math.max(last, tonumber(ARGV[3])) + 1
redis.call('SET', KEYS[2], string.format('%d', token))
held = string.format('%d', token) .. ' ' .. ARGV[1]
redis.call('SET', KEYS[1], held, 'PX', ARGV[2])
return held`;

/**
 * KEYS lease, tokens, apart; ARGV lease, lease ms, token, channel, beat. A lease that ran out, or was forgotten with all of
 * Redis, is the same holder's still as long as no later one was given.
 */
const RENEW = `
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 'lost' end
if tonumber(redis.call('GET', KEYS[2]) or '0') > tonumber(ARGV[3]) then return 'lost' end
redis.call('SET', KEYS[2], ARGV[3])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('PUBLISH', ARGV[4], ARGV[5])
if redis.call('EXISTS', KEYS[3]) == 1 then return 'apart' end
return 'shared'`;

/** KEYS lease; ARGV lease, channel, message. */
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1`;

const replicaSchema = z.strictObject({ id: z.string(), url: z.string(), proof: z.string() });

export interface RedisOptions {
  readonly url: string;
  /** Id of the broker: each has its own lease. */
  readonly broker: string;
  /** What only a replica can say of itself: whoever can write to Redis is not believed for that alone. */
  readonly proofOf: (replica: Replica) => string;
  readonly onMessage: (message: ClusterMessage) => void;
  /** Messages may have been missed. */
  readonly onGap: () => void;
  /** It may be asked, from now on or again. */
  readonly onReady: () => void;
  readonly onFault: (error: unknown) => void;
}

type Client = ReturnType<typeof createClient>;

/** The lease in Redis, and what the holder tells the others. Nothing is kept there that must not be lost. */
export class Redis implements LeaseStore {
  readonly #options: RedisOptions;
  readonly #client: Client;
  readonly #listener: Client;

  constructor(options: RedisOptions) {
    this.#options = options;
    const socket = { connectTimeout: CONNECT_MS, reconnectStrategy: (tries: number) => Math.min(50 * tries, 500) };
    // Commands fail at once while there is no connection: an old one that is sent later would be a lie.
    this.#client = createClient({ url: options.url, socket, disableOfflineQueue: true });
    this.#listener = createClient({ url: options.url, socket });
    // Both connect again by themselves.
    this.#client.on('error', options.onFault).on('ready', options.onReady);
    this.#listener.on('error', options.onGap).on('ready', options.onGap);
  }

  /** Resolves at once: it connects behind, and again when it was lost. */
  start(): void {
    const { onMessage, onFault } = this.#options;
    const heard = (text: string): void => {
      const message = parseClusterMessage(text);
      if (message) onMessage(message);
    };
    this.#client.connect().catch(onFault);
    this.#listener
      .connect()
      .then(() => this.#listener.subscribe(this.#key('told'), heard))
      .catch(onFault);
  }

  async read(): Promise<Held | null> {
    return this.#heldOf(await within(this.#client.get(this.#key('lease'))));
  }

  async acquire(self: Replica, mark: LedgerMark, leastToken: number): Promise<Held | null> {
    const keys = ['lease', 'tokens', 'ledger', 'apart'];
    const given = [this.#textOf(self), LEASE_MS, mark.token, mark.id ?? '', APART_MS, leastToken];
    const answer = await this.#run(ACQUIRE, keys, given);
    if (answer === null) return null;
    const held = this.#heldOf(answer);
    if (held) return held;
    throw new Error('The lease in Redis names no replica of this cluster.');
  }

  async ledger(): Promise<string | null> {
    return within(this.#client.get(this.#key('ledger')));
  }

  async tellLedger(id: string): Promise<void> {
    await within(this.#client.set(this.#key('ledger'), id));
  }

  async renew(held: Held): Promise<'lost' | 'shared' | 'apart'> {
    const { token } = held;
    const beat: ClusterMessage = { beat: token };
    const given = [this.#leaseOf(held), LEASE_MS, token, this.#key('told'), JSON.stringify(beat)];
    const answer = await this.#run(RENEW, ['lease', 'tokens', 'apart'], given);
    return answer === 'lost' || answer === 'apart' ? answer : 'shared';
  }

  async release(held: Held): Promise<void> {
    const released: ClusterMessage = { released: held.token };
    await this.#run(RELEASE, ['lease'], [this.#leaseOf(held), this.#key('told'), JSON.stringify(released)]);
  }

  async publish(message: ClusterMessage): Promise<void> {
    await within(this.#client.publish(this.#key('told'), JSON.stringify(message)));
  }

  close(): void {
    for (const client of [this.#client, this.#listener]) if (client.isOpen) client.destroy();
  }

  /** The braces keep the keys of one broker on one node of a Redis Cluster. */
  #key(name: string): string {
    return `mt5-edge-bridge:{${this.#options.broker}}:${name}`;
  }

  #run(script: string, keys: readonly string[], given: readonly (string | number)[]): Promise<unknown> {
    const options = { keys: keys.map((key) => this.#key(key)), arguments: given.map(String) };
    return within(this.#client.eval(script, options));
  }

  #textOf(replica: Replica): string {
    const { id, url } = replica;
    return JSON.stringify({ id, url, proof: this.#options.proofOf({ id, url }) });
  }

  #leaseOf(held: Held): string {
    return `${held.token} ${this.#textOf(held)}`;
  }

  #heldOf(text: unknown): Held | null {
    const match = typeof text === 'string' ? /^(\d{1,15}) (\{.*\})$/.exec(text) : null;
    if (!match) return null;
    const { id, url, proof } = replicaSchema.parse(JSON.parse(match[2] ?? ''));
    return proof === this.#options.proofOf({ id, url }) ? { id, url, token: Number(match[1]) } : null;
  }
}

async function within<T>(call: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('Redis did not answer in time.')), COMMAND_MS);
  call.catch(() => undefined);
  try {
    return await Promise.race([call, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
