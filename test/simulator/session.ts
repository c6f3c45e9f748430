/**
 * The MT5 session of one connection: NEW → CHALLENGED → READY, and what each command is answered with. Knows no sockets;
 * the raw flavour can drive it just as well as HTTP.
 */
import { randomBytes } from 'node:crypto';
import type { Broker } from './broker/broker.ts';
import { encodeReply } from './codec.ts';
import { type Command, type CommandReply, Json, JsonParts, type Manager } from './command.ts';
import type { Faults } from './faults.ts';
import { type Answer, plainAnswer } from './http-answer.ts';
import { ACCOUNTS, type Account } from './managers.ts';
import type { Parameters } from './parameters.ts';
import type { Route } from './routes.ts';
import { proof, proves, random16 } from './sign-in.ts';
import type { ConnectionStats, Stats } from './stats.ts';
import type { Switches } from './switches.ts';

/** Build of the access and trade servers; any number from 484 will do for clients. */
const SERVER_BUILD = '3661';
const OLDEST_CLIENT_BUILD = 484;

export interface Latency {
  latencyMs: number;
  authLatencyMs: number;
}

/** What all connections share. */
export interface Shared {
  readonly broker: Broker;
  readonly switches: Switches;
  readonly faults: Faults;
  readonly stats: Stats;
  readonly latency: Latency;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** A sign-in of this manager was completed on this connection. */
  readonly signedIn: (connectionId: number, login: number) => void;
  /** Told of each request: `#3 1000 GET /api/user/get?login=1001 → 200 {"retcode":…`. Passwords in it are the simulator's own. */
  readonly journal: ((line: string) => void) | undefined;
  /** Runs when the delay has passed, unless the simulator is closed before. */
  readonly later: (delayMs: number, act: () => void) => void;
}

type State =
  | { readonly name: 'new' }
  | { readonly name: 'challenged'; readonly account: Account; readonly random: Buffer; readonly sinceMs: number }
  | { readonly name: 'ready'; readonly manager: Manager };

const NEW: State = { name: 'new' };

export class Session {
  readonly #shared: Shared;
  readonly #stats: ConnectionStats;
  #state: State = NEW;
  #second = 0;
  #requestsThisSecond = 0;

  constructor(shared: Shared, stats: ConnectionStats) {
    this.#shared = shared;
    this.#stats = stats;
  }

  get managerLogin(): number | undefined {
    return this.#state.name === 'ready' ? this.#state.manager.login : undefined;
  }

  /** The connection stays, signed out. */
  end(): void {
    this.#state = NEW;
  }

  start(parameters: Parameters): Answer {
    this.#state = NEW;
    const { switches, stats, nowMs } = this.#shared;
    const account = checkStart(parameters);
    if (typeof account === 'number') {
      stats.handshakeFailures += 1;
      return switches.badLoginForm === '403' ? plainAnswer(403) : this.answer({ retcode: account });
    }
    const random = randomBytes(16);
    this.#state = { name: 'challenged', account, random, sinceMs: nowMs() };
    return this.answer({ retcode: 0, top: { version_access: SERVER_BUILD, srv_rand: random.toString('hex') } });
  }

  finish(parameters: Parameters, lie: boolean): Answer {
    const { switches, stats, nowMs } = this.#shared;
    const challenged = this.#state;
    this.#state = NEW;
    const answer = random16(parameters.text('srv_rand_answer'));
    const random = random16(parameters.text('cli_rand'));
    const inTime =
      challenged.name === 'challenged' && nowMs() - challenged.sinceMs <= switches.authWindowSeconds * 1000;
    if (!inTime || answer === undefined || random === undefined) {
      stats.handshakeFailures += 1;
      return plainAnswer(403);
    }
    const { account } = challenged;
    if (!proves(account.passwordHash, challenged.random, answer)) {
      stats.handshakeFailures += 1;
      return plainAnswer(403, switches.wrongAnswer === 'close');
    }
    this.#state = { name: 'ready', manager: account.manager };
    stats.handshakes += 1;
    this.#stats.handshakes += 1;
    this.#stats.manager = account.manager.login;
    this.#shared.signedIn(this.#stats.id, account.manager.login);
    const proven = lie ? randomBytes(16) : proof(account.passwordHash, random);
    const reply = this.answer({
      retcode: 0,
      top: { version_access: SERVER_BUILD, version_trade: SERVER_BUILD, cli_rand_answer: proven.toString('hex') },
    });
    if (!switches.cookie) return reply;
    return {
      ...reply,
      headers: `Set-Cookie: MT5SESSION=${randomBytes(16).toString('hex')}; Path=/; Secure; HttpOnly\r\n`,
    };
  }

  /** Why this request may not run now; undefined where it may. */
  refusal(route: Route | undefined): Answer | undefined {
    const { switches } = this.#shared;
    if (this.#state.name !== 'ready') return plainAnswer(403);
    if (route === undefined || switches.missingCommands.includes(route.name))
      return plainAnswer(Number(switches.unknownCommand));
    if (switches.requestsPerSecond > 0 && this.#tooMany(switches.requestsPerSecond))
      return this.answer({ retcode: 12 });
    if (switches.outage !== 'none') return this.answer({ retcode: Number(switches.outage) });
    return undefined;
  }

  execute(command: Command, parameters: Parameters, body: unknown): Answer | Promise<Answer> {
    if (this.#state.name !== 'ready') return plainAnswer(403);
    const { broker, switches } = this.#shared;
    const { manager } = this.#state;
    if (!command.rights.every((right) => manager.rights.has(right))) {
      return switches.permissionAs403 ? plainAnswer(403) : this.answer({ retcode: command.refusal ?? 8 });
    }
    try {
      const reply = command.run({
        command: command.path,
        parameters,
        body,
        broker,
        manager,
        connectionId: this.#stats.id,
        switches,
      });
      if (!(reply instanceof Promise)) return this.#reply(reply);
      return reply.then(
        (late) => this.#reply(late),
        (error: unknown) => this.#crashed(command, error),
      );
    } catch (error) {
      return this.#crashed(command, error);
    }
  }

  answer(reply: CommandReply): Answer {
    const { switches } = this.#shared;
    const status = switches.businessErrorStatus === '4xx' ? clientErrorOf(reply.retcode) : 200;
    const contentType = switches.contentType === 'none' ? '' : switches.contentType;
    if (!(reply.answer instanceof JsonParts)) return { status, contentType, body: encodeReply(reply, switches) };
    const head = encodeReply({ ...reply, answer: new Json('') }, switches);
    const parts = [Buffer.from(head.slice(0, -1)), ...reply.answer.parts, Buffer.from('}')];
    return { status, contentType, body: '', parts };
  }

  #reply(reply: CommandReply): Answer {
    if (reply.retcode === 8 && this.#shared.switches.permissionAs403) return plainAnswer(403);
    return this.answer(reply);
  }

  #crashed(command: Command, error: unknown): Answer {
    console.error(`simulator: ${command.path} crashed:`, error);
    return this.answer({ retcode: 2 });
  }

  #tooMany(limit: number): boolean {
    const second = Math.floor(this.#shared.nowMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#requestsThisSecond = 0;
    }
    this.#requestsThisSecond += 1;
    return this.#requestsThisSecond > limit;
  }
}

/** The account that may answer a challenge, or the return code that refuses the start. */
function checkStart(parameters: Parameters): Account | number {
  const version = parameters.integer('version');
  const agent = parameters.text('agent');
  const login = parameters.integer('login');
  if (version === undefined || Number.isNaN(version)) return 3;
  if (version < OLDEST_CLIENT_BUILD) return 1010;
  if (agent === undefined || agent === '' || /\s/.test(agent)) return 3;
  if (login === undefined || Number.isNaN(login)) return 3;
  if (parameters.text('type')?.toLowerCase() !== 'manager') return 3;
  const account = ACCOUNTS.get(login);
  return account === undefined ? 1001 : (account.refusal ?? account);
}

function clientErrorOf(retcode: number): number {
  // Done, not ready yet, and more to come are no errors.
  if (retcode === 0 || retcode === 1 || retcode === 14) return 200;
  if (retcode === 8 || (retcode >= 1000 && retcode < 2000)) return 403;
  if (retcode === 13) return 404;
  if (retcode === 12 || retcode === 10024) return 429;
  return retcode === 3 || retcode === 4 ? 400 : 409;
}
