import { BridgeError, asBridgeError, type ErrorCode } from '../contract/errors.ts';
import {
  CLOSE,
  DATA_TOPICS,
  type Authenticated,
  type ClientOperation,
  type CloseName,
  type DataTopic,
  type OperationId,
  type Selection,
  type Topic,
  SYSTEM_TOPIC,
  topicEntry,
} from '../contract/frames.ts';
import { requireScope } from '../contract/keys.ts';
import { idOf, parse, validate } from './client-operations.ts';
import { chunkOf, type Chunk, type FrameParts, type OutFrame } from './chunk.ts';
import { catchUp, owe, serve } from './delivery.ts';
import type { Member, Peer } from './member.ts';
import type { Since } from './missed.ts';
import { requireSelection, selectorsOf } from './selection.ts';
import type { StreamCore } from './stream-core.ts';

/** Messages kept while a key is being checked. */
const MAX_BACKLOG = 100;

/** One client: who it is, what it subscribes to, whether it keeps up. */
export class Connection {
  readonly peer: Peer;
  readonly connectedAtMs: number;
  readonly members = new Map<DataTopic, Member>();
  authenticated: Authenticated | undefined;
  state: 'unauthenticated' | 'authenticating' | 'open' | 'closed';
  /** Since when more is waiting for it than it may have; it gets nothing until it has caught up. */
  laggingSinceMs: number | undefined;
  missedSystem = false;
  readonly #core: StreamCore;
  #backlog: string[] = [];
  #badOperations = 0;
  #tokens: number;
  #tokensAtMs: number;

  constructor(core: StreamCore, peer: Peer, authenticated: Authenticated | undefined) {
    this.#core = core;
    this.peer = peer;
    this.authenticated = authenticated;
    this.state = authenticated ? 'open' : 'unauthenticated';
    this.connectedAtMs = core.options.now();
    this.#tokens = core.limits.messageBurst;
    this.#tokensAtMs = this.connectedAtMs;
  }

  get isLagging(): boolean {
    return this.laggingSinceMs !== undefined;
  }

  /** One text message of the client. */
  receive(text: string): void {
    if (this.state === 'closed') return;
    if (!this.#takeToken())
      return this.fail(
        'policy',
        new BridgeError('rate_limited', 'Too many messages; see the limits in the documents.'),
      );
    if (this.state !== 'authenticating') return this.#handle(text);
    if (this.#backlog.push(text) > MAX_BACKLOG)
      this.fail('policy', new BridgeError('rate_limited', 'Too many messages before the key was checked.'));
  }

  /** A protocol ping, which costs an answer. `false` = no answer: the client was closed for too many. */
  ping(): boolean {
    if (this.state === 'closed') return false;
    if (this.#takeToken()) return true;
    this.fail('policy', new BridgeError('rate_limited', 'Too many pings.'));
    return false;
  }

  /** Sends to this client, unless it lags. `false` = not sent. */
  offer(chunk: Chunk): boolean {
    if (!this.isWritable()) return false;
    this.peer.write(chunk);
    this.#core.counters.frames += chunk.frames.length;
    return true;
  }

  isWritable(): boolean {
    if (this.laggingSinceMs !== undefined || this.state === 'closed') return false;
    if (this.peer.bufferedBytes <= this.#core.limits.softBufferBytes) return true;
    this.laggingSinceMs = this.#core.options.now();
    this.#core.lagging.add(this);
    return false;
  }

  /** Sends whether it lags or not: answers to what the client asked. */
  send(parts: Omit<FrameParts, 'epoch' | 'time'>): void {
    this.#write(this.#core.frame(parts));
  }

  #write(frame: OutFrame): void {
    if (this.state === 'closed') return;
    this.#core.counters.frames++;
    this.peer.write(chunkOf([frame]));
  }

  /** A snapshot, or a gap to be filled, is still to come. */
  get isOwed(): boolean {
    for (const { owed, gap } of this.members.values()) if (owed.size > 0 || gap !== undefined) return true;
    return this.isLagging;
  }

  error(error: BridgeError, topic: Topic = SYSTEM_TOPIC, id?: OperationId): void {
    const { detail, field, expected } = error.context;
    const seq = this.#seqOf(topic);
    const data = JSON.stringify({ code: error.code satisfies ErrorCode, detail, field, expected, retry: error.retry });
    this.send({ type: 'error', topic, seq, prev: seq, data, id });
  }

  /** Tells why, then closes. */
  fail(name: CloseName, error: BridgeError): void {
    this.error(error);
    this.close(name);
  }

  close(name: CloseName): void {
    if (this.state === 'closed') return;
    this.closed();
    this.peer.close(CLOSE[name].code, name);
  }

  /** The client is gone. Idempotent. */
  closed(): void {
    if (this.state === 'closed') return;
    this.#core.flush();
    this.state = 'closed';
    this.#backlog = [];
    for (const topic of this.members.keys()) this.#leave(topic);
    this.#core.removed(this);
  }

  /** Subscribed before the memory was lost (hibernation): waits for a snapshot, declared as a gap. */
  restore(
    topic: DataTopic,
    selectors: readonly string[],
    seq: number,
    { reason, sinceMs }: { readonly reason: string; readonly sinceMs: number | undefined },
  ): void {
    const member = this.#join(topic, new Set(selectors));
    member.seq = seq;
    owe(member, reason, undefined, this.#core.options.now());
    member.since = sinceMs === undefined ? undefined : sinceOf(sinceMs);
    serve(this.#core, member);
  }

  #handle(text: string): void {
    if (this.state === 'closed') return;
    let operation: ClientOperation | undefined;
    let id: OperationId | undefined;
    try {
      const value = parse(text);
      id = idOf(value);
      operation = validate(value);
      this.#perform(operation);
      this.#badOperations = 0;
    } catch (error) {
      this.#core.counters.refusedOperations++;
      const topic = operation && 'topic' in operation ? operation.topic : SYSTEM_TOPIC;
      const refused = asBridgeError(error);
      if (!(error instanceof BridgeError)) this.#core.options.onError?.(error);
      if (++this.#badOperations >= this.#core.limits.maxBadOperations) this.fail('policy', refused);
      else this.error(refused, topic, id);
    }
  }

  #perform(operation: ClientOperation): void {
    if (operation.op === 'auth') return this.#authenticate(operation.key, operation.id);
    if (operation.op === 'ping') {
      this.peer.pinged?.();
      this.#core.flush();
      return this.#write(this.#core.heartbeat(!this.isOwed, operation.id));
    }
    const caller = this.authenticated?.caller;
    if (this.state !== 'open' || !caller)
      throw new BridgeError('unauthenticated', {
        detail: 'The first message must be {"op":"auth","key":"…"}, unless the upgrade carried a key.',
      });
    requireScope(caller, 'read');
    if (operation.topic === SYSTEM_TOPIC) return void this.#system(operation);
    const selectors = selectorsOf(operation, operation.topic, caller);
    if (operation.op === 'unsubscribe') return this.#unsubscribe(operation.topic, selectors, operation.id);
    requireSelection(operation.topic, selectors, this.members.get(operation.topic)?.selectors);
    this.#subscribe(operation, operation.topic, selectors);
  }

  #authenticate(key: string, id: OperationId | undefined): void {
    if (this.state === 'unauthenticated') this.state = 'authenticating';
    void this.#checkKey(key, id);
  }

  async #checkKey(key: string, id: OperationId | undefined): Promise<void> {
    let found: Authenticated | undefined;
    try {
      found = await this.#core.options.authenticate(key, this.peer.address);
    } catch (error) {
      this.error(asBridgeError(error), SYSTEM_TOPIC, id);
      return this.close('internal');
    }
    if (this.isClosed()) return;
    const known = this.authenticated?.caller.id;
    if (!found || (known !== undefined && known !== found.caller.id))
      return this.fail('unauthenticated', new BridgeError('unauthenticated', 'The key or token is not valid here.'));
    // Said twice, by header and by message, is said once.
    this.authenticated ??= found;
    this.state = 'open';
    this.#core.options.onSubscriptions?.(this);
    const seq = this.#core.systemSeq;
    const { id: caller, scopes } = found.caller;
    const data = JSON.stringify({ caller, scopes, ...this.#stated() });
    this.send({ type: 'ack', topic: SYSTEM_TOPIC, seq, prev: seq, data, id });
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const text of backlog) this.#handle(text);
  }

  // A function: the compiler would remember the state over an await.
  isClosed(): boolean {
    return this.state === 'closed';
  }

  async #system(operation: Selection): Promise<void> {
    const acked = this.#core.systemSeq;
    const data = JSON.stringify(this.#stated());
    this.send({ type: 'ack', topic: SYSTEM_TOPIC, seq: acked, prev: acked, data, id: operation.id });
    if (operation.op === 'unsubscribe') return;
    if (this.#core.options.lookAtSession) await this.#core.lookAtSession();
    const seq = this.#core.systemSeq;
    const at = { topic: SYSTEM_TOPIC, seq, prev: seq } as const;
    if (operation.op === 'resume' && (operation.seq !== seq || operation.epoch !== this.#core.epoch))
      this.send({ type: 'gap', ...at, data: JSON.stringify({ reason: 'events are not kept' }) });
    this.send({ type: 'snapshot', ...at, data: JSON.stringify([this.#core.system]) });
  }

  #subscribe(operation: Selection, topic: DataTopic, selectors: readonly string[]): void {
    this.#core.flush();
    const before = this.members.get(topic);
    const all = new Set(before?.selectors);
    for (const selector of selectors) all.add(selector);
    let count = all.size - (before?.selectors.size ?? 0);
    for (const member of this.members.values()) count += member.selectors.size;
    if (count > this.#core.limits.maxSelectors)
      throw new BridgeError('invalid_field', {
        detail: `One connection follows at most ${this.#core.limits.maxSelectors} symbols and logins.`,
        field: topicEntry(topic).selector,
        expected: `at most ${this.#core.limits.maxSelectors} over all topics`,
      });
    const member = this.#join(topic, all);
    this.#core.options.onSubscriptions?.(this);
    // Who is subscribed already knows the past of the rest: only a fresh subscription can resume.
    const resume = operation.op === 'resume' && !before ? operation : undefined;
    if (resume) {
      const sameEpoch = resume.epoch === this.#core.epoch;
      if (sameEpoch) member.seq = resume.seq;
      if (sameEpoch && member.log.holdsSince(member.group, resume.seq)) member.state = 'live';
      else member.gap = 'what was missed is no longer in the buffer';
    }
    if (operation.op !== 'unsubscribe' && operation.sinceMs !== undefined && !before && member.state === 'waiting') {
      member.gap ??= 'what was missed is not known one by one';
      member.since = sinceOf(operation.sinceMs);
    }
    const seq = member.group.seqOf(member);
    const data = JSON.stringify({ selected: all.size, ...this.#stated() });
    this.send({ type: 'ack', topic, seq, prev: seq, data, id: operation.id });
    if (member.state === 'live' && resume) return catchUp(this.#core, member, 'every');
    for (const selector of selectors) member.owed.add(selector);
    serve(this.#core, member);
  }

  #unsubscribe(topic: DataTopic, selectors: readonly string[], id: OperationId | undefined): void {
    this.#core.flush();
    const member = this.members.get(topic);
    const left = new Set(member?.selectors);
    if (selectors.length === 0) left.clear();
    for (const selector of selectors) left.delete(selector);
    if (left.size === 0) this.#leave(topic);
    else if (member) {
      this.#join(topic, left);
      this.#core.options.onSubscriptions?.(this);
      for (const selector of selectors) member.owed.delete(selector);
    }
    const seq = this.#seqOf(topic);
    this.send({ type: 'ack', topic, seq, prev: seq, data: JSON.stringify({ selected: left.size }), id });
    const joined = this.members.get(topic);
    if (joined) serve(this.#core, joined);
  }

  /** Into the group of exactly these selectors, keeping the sequence. Call only when nothing is pending. */
  #join(topic: DataTopic, selectors: Set<string>): Member {
    const log = this.#core.log(topic);
    const known = this.members.get(topic);
    const group = log.groupOf(selectors);
    if (!known) {
      const member: Member = {
        connection: this,
        log,
        group,
        selectors,
        state: 'waiting',
        seq: 0,
        lockstepIndex: -1,
        owed: new Set(),
        since: undefined,
        gap: undefined,
      };
      this.members.set(topic, member);
      group.add(member);
      return member;
    }
    const before = known.group;
    if (group !== before) {
      before.remove(known);
      known.group = group;
      group.add(known);
      if (before.size === 0) log.release(before, this.#core.options.now());
    }
    known.selectors = selectors;
    return known;
  }

  #leave(topic: DataTopic): void {
    const member = this.members.get(topic);
    if (!member) return;
    this.members.delete(topic);
    this.#core.options.onSubscriptions?.(this);
    member.group.remove(member);
    if (member.group.size === 0) member.log.release(member.group, this.#core.options.now());
  }

  #seqOf(topic: Topic): number {
    if (topic === SYSTEM_TOPIC) return this.#core.systemSeq;
    const member = this.members.get(topic);
    return member ? member.group.seqOf(member) : 0;
  }

  #stated(): Record<string, number> {
    const { heartbeatMs, silenceLimitMs, staleAfterMs, pingWithinBytes, maxLagMs } = this.#core.limits;
    return { heartbeatMs, silenceLimitMs, staleAfterMs, pingWithinBytes, maxLagMs };
  }

  #takeToken(): boolean {
    const now = this.#core.options.now();
    const { messagesPerSecond, messageBurst } = this.#core.limits;
    this.#tokens = Math.min(messageBurst, this.#tokens + ((now - this.#tokensAtMs) / 1000) * messagesPerSecond);
    this.#tokensAtMs = now;
    return --this.#tokens >= 0;
  }
}

/** Every topic that a connection subscribes to with these selectors: what a hub must remember over hibernation. */
export function subscriptionsOf(
  connection: Connection,
): { topic: DataTopic; selectors: readonly string[]; seq: number }[] {
  return DATA_TOPICS.flatMap((topic) => {
    const member = connection.members.get(topic);
    return member ? [{ topic, selectors: [...member.selectors], seq: member.group.seqOf(member) }] : [];
  });
}

const sinceOf = (sinceMs: number): Since => ({
  sinceMs,
  toldUntilMs: sinceMs,
  byTime: true,
  isAsked: false,
  rows: undefined,
});
