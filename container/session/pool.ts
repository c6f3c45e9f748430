import { Dialer, type Dialled, type DialerOptions } from './dialer.ts';
import type { DealerLine } from './dealer-line.ts';
import { DealerLines } from './dealer-lines.ts';
import { Flapping } from './flapping.ts';
import { Gathering } from './gathering.ts';
import { GrowthPolicy, STUCK_MS } from './growth.ts';
import { createJob, type Job, type JobRequest } from './job-queue.ts';
import { Members, type Member } from './members.ts';
import type { CloseCause, Session, SessionHooks } from './session.ts';
import { asSessionError, retryAt, SignInPause } from './sign-in-pause.ts';
import { soon } from './soon.ts';
import { StatusBoard } from './status-board.ts';
import type { SessionEvent, UpstreamStats, UpstreamStatus } from './status.ts';
import { TransportError } from '../transport/transport.ts';
import { SessionError, type CallOptions, type Command, type MutateOptions } from './upstream.ts';
import type { Reply, Upstream } from './upstream.ts';
import { Trains, type Aboard } from './trains.ts';
import type { UpstreamBreaker } from './upstream-breaker.ts';
import { UpstreamRate } from './upstream-rate.ts';
import { WaitingRoom } from './waiting-room.ts';

/** More requests than this waiting at once could not be answered before their deadlines. */
const MAX_WAITING = 5_000;
/** So few before a request are no queue to speak of, whatever the estimate. */
const FEW_AHEAD = 16;
/** How long callers wait for a sign-in that may begin soon, before they are told to retry. */
const PATIENCE_MS = 2_000;
/** A session beyond the first that was free for so long is closed. */
const IDLE_SHRINK_MS = 60_000;
/** A session that ends so soon after another one signed in was ended by it; what it is told, it learns at its next ping. */
const ENDED_BY_SIGN_IN_MS = { lost: 2_000, replaced: 30_000 } as const;

const draining = (): SessionError => new SessionError('draining', 'The bridge shuts down.');

export interface PoolOptions extends DialerOptions {
  readonly max: number;
  /** Sessions that deal, where there are so many. */
  readonly dealers?: number;
  /** The most that the broker is asked; absent = what the sessions carry. */
  readonly perSecond?: number | undefined;
  readonly breaker?: UpstreamBreaker;
  readonly random: () => number;
  readonly onEvent: (event: SessionEvent) => void;
  readonly onStatus: (status: UpstreamStatus) => void;
}

/**
 * The sessions with the server, and who may use them next. Starts with one, grows one at a time, and never signs in
 * twice at once: everybody waits on the same sign-in and is told the same reason if it fails.
 */
export class SessionPool implements Upstream {
  readonly dealers: Upstream['dealers'];
  readonly #lines: DealerLines;
  readonly #options: PoolOptions;
  readonly #dialer: Dialer;
  readonly #growth = new GrowthPolicy();
  readonly #flapping = new Flapping();
  readonly #waiting = new WaitingRoom();
  readonly #trains = new Trains();
  readonly #board: StatusBoard;
  readonly #counters = { signIns: 0, signInFailures: 0, sent: 0, merged: 0, replayed: 0, lost: 0 };
  readonly #members = new Members();
  readonly #rate: UpstreamRate;
  #max: number;
  /** Since when at least one session is ready. */
  #upSinceMs = 0;
  #dialing: Promise<void> | undefined;
  #opening: Session | undefined;
  #growAfterMs = 0;
  readonly #pause = new SignInPause();
  #draining = false;
  readonly #pumpSoon = soon(() => this.#pump());
  readonly #gathering = new Gathering(() => this.#pump());
  #epoch: number | null = null;
  #retryTimer: NodeJS.Timeout | undefined;
  #stuckTimer: NodeJS.Timeout | undefined;
  #shrinkTimer: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#max = options.max;
    this.#dialer = new Dialer(options);
    this.#board = new StatusBoard(options.now, options.onStatus);
    this.#rate = new UpstreamRate(options.perSecond);
    const own = { run: (request: JobRequest) => this.#run(request), connections: () => this.#members.count };
    this.#lines = new DealerLines(own, options.dealers ?? 1);
    this.dealers = this.#lines.all;
  }

  read(command: Command, options: CallOptions): Promise<Reply> {
    return this.#run({ ...options, kind: 'read', command });
  }

  mutate(command: Command, options: MutateOptions): Promise<Reply> {
    return this.#run({ ...options, kind: 'write', command });
  }

  /** Signs in if no session is there. @throws SessionError the reason why not */
  async warm(): Promise<void> {
    if (this.#members.count === 0 && !this.#draining) await this.#dial();
    if (this.#members.count === 0) throw this.#pause.error ?? draining();
  }

  /** The address that worked last. */
  prefer(address: string): void {
    this.#dialer.prefer(address);
  }

  get status(): UpstreamStatus {
    return this.#board.status;
  }

  get stats(): UpstreamStats {
    return { ...this.#counters, ...this.#members.stats, waiting: this.#waiting.size };
  }

  // ── Requests ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async #run(request: JobRequest): Promise<Reply> {
    if (this.#draining) throw draining();
    const now = this.#options.now();
    if (this.#members.count === 0 && this.#pause.holds(now)) throw this.#pause.told(now);
    this.#options.breaker?.require(now);
    if (this.#waiting.size >= MAX_WAITING)
      throw new SessionError('overloaded', `${MAX_WAITING} requests wait already.`, { retryAfterMs: 1_000 });
    this.#requireInTime(request, now);
    const [job, reply] = createJob(request, now, (released) => this.#waiting.remove(released));
    if (!job.settled) this.#waiting.add(job);
    if (job.many) this.#gathering.join();
    else this.#pump();
    return reply;
  }

  /**
   * What could not be answered before its deadline, by how long answers take and how many wait before it, would only make
   * others wait. Sessions that may still be opened count as opened. @throws SessionError `overloaded`
   */
  #requireInTime({ line, urgent, lane = '', deadlineAtMs }: JobRequest, nowMs: number): void {
    if (line || urgent || this.#members.count === 0) return;
    const ahead = this.#waiting.aheadOf(lane);
    const { answerMs } = this.#growth;
    const waitMs = this.#growth.waitMs(ahead, Math.max(this.#members.count, this.#options.max), this.#rate.intervalMs);
    if (ahead < FEW_AHEAD || nowMs + waitMs + answerMs <= deadlineAtMs) return;
    throw new SessionError('overloaded', 'So many requests wait that this one would not be answered in time.', {
      retryAfterMs: Math.ceil(Math.max(1_000, nowMs + waitMs - deadlineAtMs)),
    });
  }

  /** Hands waiting requests to free sessions, those that deal last, so that dealing waits the least. */
  #pump(): void {
    if (this.#waiting.size === 0) return;
    this.#lines.place(this.#members, (line) => this.#waiting.hasDealing(line));
    for (const member of this.#members.all) if (!this.#lines.isOn(member.session)) this.#serve(member, []);
    for (const member of this.#members.all) this.#serve(member, this.#lines.on(member.session));
    if (this.#waiting.size === 0) return;
    if (this.#members.count === 0) void this.#dial().catch(() => undefined);
    else this.#considerGrowth();
  }

  #serve(member: Member, lines: readonly DealerLine[]): void {
    if (!member.session.free || !this.#isWithinRate(lines)) return;
    const job = this.#waiting.next(lines, this.#takesBulk(lines));
    if (job) void this.#dispatch(job, member);
  }

  /** Where somebody trades, the sessions that deal and one for what is read beside them are kept from it. */
  #takesBulk(lines: readonly DealerLine[]): boolean {
    const trades = this.#waiting.hasSomeDealing || this.#growth.dealsRegularly(this.#options.now());
    const dealing = trades ? this.#lines.placed : 0;
    const isKept = lines.length > 0 && dealing > 0 && this.#members.count > dealing;
    return !isKept && this.#members.hasRoomForBulk(1 + dealing);
  }

  /** Dealing comes first where the rate is spent: what it waits for is left to it. */
  #isWithinRate(lines: readonly DealerLine[]): boolean {
    const spare = lines.length === 0 && this.#waiting.hasSomeDealing ? 1 : 0;
    return this.#rate.allows(this.#options.now(), spare, () => this.#pump());
  }

  async #dispatch(head: Job, member: Member): Promise<void> {
    const now = this.#options.now();
    if (now >= head.deadlineAtMs) {
      head.reject(new SessionError('deadline', 'The deadline passed while the request waited for a session.'));
      return this.#pump();
    }
    const held = this.#options.breaker?.take(now);
    if (held) return this.#waiting.refuse(head, held);
    const jobs = this.#trains.board(head, this.#waiting, now);
    this.#growth.dispatched(this.#waiting.sizeForAny, now);
    this.#rate.spend();
    this.#counters.sent++;
    this.#counters.merged += jobs.length - 1;
    const generation = head.line?.generation ?? 0;
    if (head.kind === 'dealer_write') this.#growth.dealt(now);
    member.carriesBulk = head.bulk;
    const call = this.#options.breaker?.began(now, head.bulk);
    const startedAt = performance.now();
    const tookMs = (): number => performance.now() - startedAt;
    try {
      const reply = await member.session.send(this.#trains.command(jobs), () => {
        for (const job of jobs) job.handedOver();
      });
      call?.answered(reply);
      // The end of the connection may have been told before the answer that came with it ("Connection: close").
      if (!member.hasAnswered) this.#flapping.answered();
      member.hasAnswered = true;
      head.line?.answered(reply, generation);
      for (const job of jobs) job.timings?.add({ waitedMs: now - job.enqueuedAtMs, answeredMs: tookMs() });
      this.#arrived(jobs, reply, tookMs());
    } catch (error) {
      call?.failed(error);
      for (const job of jobs) this.#failed(job, error);
    } finally {
      Object.assign(member, { usedAtMs: this.#options.now(), carriesBulk: false });
      // What is long by itself tells nothing of how long others wait.
      if (!head.bulk) this.#growth.answered(tookMs(), member.usedAtMs, jobs.length);
    }
  }

  /** What a train did not bring is asked for again. */
  #arrived(jobs: Aboard, reply: Reply, tookMs: number): void {
    for (const job of this.#trains.arrived(jobs, reply, tookMs, this.#options.now())) {
      if (this.#draining) job.reject(draining());
      else if (!job.settled) this.#waiting.add(job);
    }
    this.#pumpSoon();
  }

  /** A read may be sent once more, on a fresh session; a mutation never. */
  #failed(job: Job, error: unknown): void {
    if (!(error instanceof SessionError)) {
      job.reject(new SessionError('lost', 'The request failed.', { dispatched: job.dispatched, cause: error }));
      return;
    }
    const cutOff = error.cause instanceof TransportError && error.cause.kind === 'truncated';
    // What did not leave may go as if it had still waited: the connection had ended before.
    const spent = job.replayed && error.dispatched;
    const again = job.kind === 'read' && !spent && !job.settled && (error.kind === 'lost' || cutOff);
    if (!again || this.#draining) return job.reject(error);
    job.replayed ||= error.dispatched;
    this.#counters.replayed++;
    this.#waiting.add(job);
    this.#pumpSoon();
  }

  // ── Sessions ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** One sign-in at a time, shared by all who wait for it. */
  #dial(): Promise<void> {
    return (this.#dialing ??= this.#signIn().finally(() => {
      this.#dialing = undefined;
      this.#opening = undefined;
      this.#updateStatus();
      this.#pump();
    }));
  }

  async #signIn(): Promise<void> {
    clearTimeout(this.#retryTimer);
    try {
      const retryAfterMs = this.#flapping.waitMs(this.#options.now());
      if (retryAfterMs > PATIENCE_MS)
        throw new SessionError('backoff', 'The broker ends sessions before they answer anything.', { retryAfterMs });
      if (retryAfterMs > 0) await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
      const dialled = await this.#dialer.dial(this.#hooks, (session) => (this.#opening = session));
      // The server may have closed while the success was being recorded.
      if (dialled.session.state === 'ready') this.#joined(dialled);
      else this.#flapping.ended(this.#options.now());
    } catch (error) {
      this.#signInFailed(asSessionError(error));
    }
  }

  #joined({ session, address, epoch, phasesMs }: Dialled): void {
    const now = this.#options.now();
    this.#counters.signIns++;
    this.#pause.clear();
    this.#epoch = epoch;
    if (this.#members.count === 0) this.#upSinceMs = now;
    this.#members.add(session, now);
    this.#options.onEvent({ type: 'signed_in', address, epoch, connections: this.#members.count, phasesMs });
    if (this.#draining) void session.drain();
    if (this.#members.count > 1) this.#scheduleShrink();
  }

  #signInFailed(given: SessionError): void {
    const now = this.#options.now();
    const error = this.#pause.reasonOf(given);
    const retryAtMs = retryAt(error, now);
    this.#growAfterMs = retryAtMs;
    if (error.kind === 'backoff') {
      this.#options.onEvent({ type: 'sign_in_paused', reason: error.message, retryAtMs });
    } else {
      this.#counters.signInFailures++;
      const retcode = error.retcode ?? null;
      this.#options.onEvent({ type: 'sign_in_failed', kind: error.kind, retcode, reason: error.message });
    }
    if (this.#members.count > 0) return;
    this.#pause.begin(error, now);
    this.#waiting.rejectAll(() => this.#pause.told(now));
    // Nobody may ask again while a load balancer reads 503 here: the bridge itself does.
    if (this.#draining) return;
    const jitterMs = this.#options.random() * 500;
    this.#retryTimer = setTimeout(() => void this.#dial().catch(() => undefined), retryAtMs - now + jitterMs).unref();
  }

  readonly #hooks: SessionHooks = {
    onFree: () => this.#pumpSoon(),
    onState: () => this.#updateStatus(),
    onClosed: (session, cause, reason) => this.#left(session, cause, reason),
  };

  #left(session: Session, cause: CloseCause, reason: string): void {
    const member = this.#members.remove(session);
    if (!member) return;
    this.#lines.left(session);
    if (cause !== 'quit') {
      this.#counters.lost++;
      if (!member.hasAnswered) this.#flapping.ended(this.#options.now());
    }
    this.#options.onEvent({ type: 'closed', cause, reason, connections: this.#members.count });
    this.#learn(member, cause);
    this.#updateStatus(reason);
    this.#pump();
  }

  /** Where a second sign-in ends the first session, one is all that works. */
  #learn(member: Member, cause: CloseCause): void {
    const newer = this.#members.newerThan(member);
    const joining = this.#opening?.state === 'ready';
    if ((!newer && !joining) || this.#max === 1 || (cause !== 'lost' && cause !== 'replaced')) return;
    const afterMs = joining ? 0 : this.#options.now() - (newer?.signedInAtMs ?? 0);
    if (afterMs > ENDED_BY_SIGN_IN_MS[cause]) return;
    this.#max = 1;
    this.#options.onEvent({ type: 'one_session_only' });
  }

  #considerGrowth(): void {
    const now = this.#options.now();
    if (this.#members.count >= this.#max || this.#dialing || this.#draining || now < this.#growAfterMs) return;
    const { oldest } = this.#waiting;
    const oldestWaitMs = oldest ? now - Math.max(oldest.enqueuedAtMs, this.#upSinceMs) : 0;
    if (this.#members.count < this.#forDealing(now) || (oldest && this.#growth.shouldGrow(oldestWaitMs, now)))
      return void this.#dial().catch(() => undefined);
    if (!oldest) return;
    this.#stuckTimer ??= setTimeout(
      () => {
        this.#stuckTimer = undefined;
        this.#pump();
      },
      Math.max(100, STUCK_MS - oldestWaitMs),
    ).unref();
  }

  #forDealing(nowMs: number): number {
    return this.#growth.sessionsForDealing(this.#lines.all.length, this.#max, nowMs);
  }

  #scheduleShrink(): void {
    this.#shrinkTimer ??= setTimeout(() => {
      this.#shrinkTimer = undefined;
      const now = this.#options.now();
      const idle = this.#members.idleSince(now - IDLE_SHRINK_MS, (session) => this.#lines.keeps(session));
      if (idle && this.#members.count > this.#forDealing(now)) void idle.drain();
      if (this.#members.count > 1) this.#scheduleShrink();
    }, IDLE_SHRINK_MS / 4).unref();
  }

  // ── Status and end ────────────────────────────────────────────────────────────────────────────────────────────────

  #updateStatus(closedReason?: string): void {
    this.#board.update({
      draining: this.#draining,
      connections: this.#members.count,
      epoch: this.#epoch,
      opening: this.#opening?.state,
      failure: this.#pause.error,
      closedReason,
    });
  }

  /** No new requests; those in flight finish, within the grace; every session says `quit`. Idempotent. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    this.#rate.stop();
    for (const timer of [this.#retryTimer, this.#stuckTimer, this.#shrinkTimer]) clearTimeout(timer);
    this.#waiting.rejectAll(draining);
    this.#updateStatus();
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)));
    await Promise.race([
      Promise.all([...this.#members.sessions.map((session) => session.drain()), this.#dialing]),
      grace,
    ]);
    clearTimeout(timer);
    this.#opening?.close();
    for (const session of this.#members.sessions) session.close();
  }
}
