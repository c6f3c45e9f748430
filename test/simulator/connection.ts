/**
 * One TCP+TLS connection: requests are read one after the other, answered in order, and spoiled where a fault says so.
 * The session lives and dies with it.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Fault } from './faults.ts';
import { type Answer, answerHead, plainAnswer } from './http-answer.ts';
import { HttpFailure, HttpParser, type HttpRequest } from './http-parser.ts';
import { Parameters } from './parameters.ts';
import { readBody } from './request-body.ts';
import { parseTarget } from './request-target.ts';
import { findRoute, type Route } from './routes.ts';
import { Session, type Shared } from './session.ts';
import type { ConnectionStats } from './stats.ts';

/** Bytes a client may send ahead of its answers before it is not read any more. */
const READ_AHEAD_BYTES = 256 * 1024;
/** What the journal shows of a body. */
const JOURNAL_CHARACTERS = 200;
const HUGE_BYTES = 32 * 1024 * 1024;

export class Connection {
  readonly id: number;
  readonly session: Session;
  readonly #socket: TLSSocket;
  readonly #tcp: Socket;
  readonly #shared: Shared;
  readonly #stats: ConnectionStats;
  readonly #parser = new HttpParser();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #closed: () => void;
  #idle: NodeJS.Timeout | undefined;
  #heardMs: number;
  /** `ending`: nothing more is answered · `deaf`: nothing is read either, and the connection stays. */
  #state: 'reading' | 'answering' | 'ending' | 'deaf' | 'closed' = 'reading';
  #pumping = false;

  constructor(id: number, socket: TLSSocket, tcp: Socket, shared: Shared, closed: () => void) {
    this.id = id;
    this.#socket = socket;
    this.#tcp = tcp;
    this.#shared = shared;
    this.#closed = closed;
    this.#stats = shared.stats.opened(id, Date.now());
    this.session = new Session(shared, this.#stats);
    this.#heardMs = shared.nowMs();
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#finish());
    this.armIdle();
  }

  /** The idle timer is re-armed lazily: a request costs it nothing. */
  armIdle(): void {
    clearTimeout(this.#idle);
    if (this.#state === 'closed' || this.#state === 'deaf') return;
    const idleMs = this.#shared.switches.idleTimeoutSeconds * 1000;
    const leftMs = this.#heardMs + idleMs - this.#shared.nowMs();
    if (leftMs <= 0) {
      this.destroy();
      return;
    }
    this.#idle = setTimeout(() => this.armIdle(), Math.ceil(leftMs));
  }

  /** Closes at once; may be called twice. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** A half-open connection ends with its fault: nobody else would ever end it. */
  destroyIfDeaf(): void {
    if (this.#state === 'deaf') this.destroy();
  }

  #finish(): void {
    this.#state = 'closed';
    clearTimeout(this.#idle);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#stats.open = false;
    this.#closed();
  }

  #received(chunk: Buffer): void {
    this.#heardMs = this.#shared.nowMs();
    this.#parser.push(chunk);
    if (this.#state === 'reading') this.#pump();
    else if (this.#parser.bufferedBytes > READ_AHEAD_BYTES) this.#socket.pause();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#state === 'reading') {
      const next = this.#parser.next();
      if (this.#parser.continueWanted) {
        this.#parser.continueWanted = false;
        if (next === undefined) this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      }
      if (next === undefined) break;
      this.#state = 'answering';
      if (next instanceof HttpFailure) this.#send(plainAnswer(next.status, true), false, undefined);
      else this.#handle(next);
    }
    this.#pumping = false;
  }

  #handle(request: HttpRequest): void {
    const { switches, stats, faults, latency } = this.#shared;
    const target = parseTarget(request.target, switches.plusInQuery === 'space');
    const route = target === undefined ? undefined : findRoute(target.path);
    stats.count(this.#stats, route?.name ?? 'unknown');
    if (target === undefined) {
      this.#send(plainAnswer(400), request.keepAlive, undefined);
      return;
    }
    const plan = faults.none ? undefined : faults.take(route?.name ?? 'unknown', route?.command?.mutates === true);
    const spoiler = plan?.spoiler;
    this.#shared.journal?.(
      `#${this.id} ${this.session.managerLogin ?? '-'} ${request.method} ${request.target}` +
        (request.body.length > 0 ? ` ${request.body.toString('utf8').slice(0, JOURNAL_CHARACTERS)}` : '') +
        (spoiler === undefined ? '' : ` [${spoiler.kind}]`),
    );
    const execute = (): Answer | Promise<Answer> => this.#execute(request, route, target.query, spoiler);
    const delayMs =
      (plan?.delayMs ?? 0) + (route?.name.startsWith('auth/') === true ? latency.authLatencyMs : latency.latencyMs);
    const held = spoiler === undefined ? 'no' : this.#spoilBefore(spoiler, execute);
    if (held === 'yes') return;
    const answer = held === 'no' ? execute() : held;
    if (answer instanceof Promise) {
      void answer.then((late) => this.#after(delayMs, () => this.#send(late, request.keepAlive, spoiler)));
    } else if (delayMs > 0) this.#after(delayMs, () => this.#send(answer, request.keepAlive, spoiler));
    else this.#send(answer, request.keepAlive, spoiler);
  }

  #execute(
    request: HttpRequest,
    route: Route | undefined,
    query: ReadonlyMap<string, string>,
    spoiler: Fault | undefined,
  ): Answer | Promise<Answer> {
    const { switches } = this.#shared;
    const signIn = route?.name === 'auth/start' || route?.name === 'auth/answer';
    const refusal = signIn ? undefined : this.session.refusal(route);
    if (refusal !== undefined || route === undefined) return refusal ?? plainAnswer(403);
    if (request.body.length > 0 && !accepted(request.contentType, switches.acceptBody)) return plainAnswer(415);
    const body = readBody(request, route.command?.textBody === true, switches.plusInQuery === 'space');
    if (body.kind === 'unreadable') return this.session.answer({ retcode: 3 });
    const parameters = new Parameters(query, body.fields);
    if (route.command !== undefined) return this.session.execute(route.command, parameters, body.value);
    if (route.name === 'quit') return { ...this.session.answer({ retcode: 0 }), close: true };
    if (spoiler?.kind === 'refuse-sign-in') {
      this.#shared.stats.handshakeFailures += 1;
      this.session.end();
      if (spoiler.code === 403 || switches.badLoginForm === '403') return plainAnswer(403);
      return this.session.answer({ retcode: spoiler.code });
    }
    return route.name === 'auth/start'
      ? this.session.start(parameters)
      : this.session.finish(parameters, spoiler?.kind === 'wrong-cli-rand-answer');
  }

  /** Faults that act instead of the command. `yes`: there is no answer; `no`: the command runs. */
  #spoilBefore(spoiler: Fault, execute: () => Answer | Promise<Answer>): Answer | 'yes' | 'no' {
    const kind: string = spoiler.kind;
    switch (kind) {
      case 'drop-before-execution':
        this.destroy();
        return 'yes';
      case 'reset':
        this.#tcp.resetAndDestroy();
        return 'yes';
      case 'execute-late':
        // Outlives the connection: the caller cannot know whether it happens.
        this.#shared.later(spoiler.ms, () => void execute());
        this.destroy();
        return 'yes';
      case 'hang':
        this.#state = 'ending';
        return 'yes';
      case 'half-open':
        this.#state = 'deaf';
        this.#socket.pause();
        clearTimeout(this.#idle);
        return 'yes';
      case 'status':
        return plainAnswer(spoiler.code);
      case 'forbidden-once':
        return plainAnswer(403);
      case 'html':
        return { status: 200, contentType: 'text/html', body: '<html><body><h1>Welcome</h1></body></html>' };
      case 'redirect':
        return { ...plainAnswer(spoiler.code), headers: 'Location: https://example.invalid/\r\n' };
      default:
        return 'no';
    }
  }

  #after(delayMs: number, act: () => void): void {
    if (this.#state === 'closed') return;
    if (delayMs <= 0) {
      act();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }

  #send(answer: Answer, keepAlive: boolean, spoiler: Fault | undefined): void {
    if (this.#state === 'closed') return;
    const keep = keepAlive && answer.close !== true;
    const { parts, ...rest } = answer;
    if (parts !== undefined) {
      if (spoiler !== undefined) {
        this.#send({ ...rest, body: Buffer.concat(parts).toString() }, keepAlive, spoiler);
        return;
      }
      const size = parts.reduce((sum, part) => sum + part.length, 0);
      this.#shared.journal?.(`#${this.id} → ${answer.status} ${size} bytes`);
      this.#socket.write(answerHead(answer, size, keep));
      this.#sendParts(parts, 0, () => this.#sent(keep));
      return;
    }
    const length = Buffer.byteLength(answer.body);
    this.#shared.journal?.(`#${this.id} → ${answer.status} ${answer.body.slice(0, JOURNAL_CHARACTERS)}`);
    const kind: string = spoiler?.kind ?? '';
    switch (kind) {
      case 'drop-after-execution':
        this.destroy();
        return;
      case 'truncate':
        this.#socket.end(answerHead(answer, length, keep) + answer.body.slice(0, Math.floor(answer.body.length / 2)));
        this.#state = 'ending';
        return;
      case 'wrong-length':
        this.#socket.write(answerHead(answer, Math.max(0, length - 10), keep) + answer.body);
        break;
      case 'chunked-without-end':
        this.#socket.write(
          `${answerHead(answer, length, keep).replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked')}${length.toString(16)}\r\n${answer.body}\r\n`,
        );
        this.#state = 'ending';
        return;
      case 'huge':
        this.#socket.write(answerHead(answer, length + HUGE_BYTES, keep) + answer.body);
        this.#socket.write(Buffer.alloc(HUGE_BYTES, ' '));
        break;
      case 'slow-drip':
        this.#socket.write(answerHead(answer, length, keep));
        this.#drip(Buffer.from(answer.body), 0, spoiler?.ms ?? 0, () => this.#sent(keep));
        return;
      default:
        this.#socket.write(answerHead(answer, length, keep) + answer.body);
    }
    this.#sent(keep);
  }

  /** One after the other as the client takes them. */
  #sendParts(parts: readonly Buffer[], index: number, done: () => void): void {
    const part = parts[index];
    if (this.#state === 'closed') return;
    if (part === undefined) {
      done();
      return;
    }
    const next = (): void => this.#sendParts(parts, index + 1, done);
    if (this.#socket.write(part)) setImmediate(next);
    else this.#socket.once('drain', next);
  }

  #drip(body: Buffer, from: number, everyMs: number, done: () => void): void {
    if (from >= body.length) {
      done();
      return;
    }
    this.#socket.write(body.subarray(from, from + 1));
    this.#after(Math.max(1, everyMs), () => this.#drip(body, from + 1, everyMs, done));
  }

  #sent(keep: boolean): void {
    if (!keep) {
      this.#state = 'ending';
      this.#socket.end();
      // A client that does not close its half is not waited for.
      this.#after(1000, () => this.destroy());
      return;
    }
    this.#state = 'reading';
    if (this.#socket.isPaused()) this.#socket.resume();
    if (this.#parser.bufferedBytes > 0) this.#pump();
  }
}

const accepted = (contentType: string, accept: 'any' | 'form' | 'json'): boolean =>
  accept === 'any' || contentType === (accept === 'form' ? 'application/x-www-form-urlencoded' : 'application/json');
