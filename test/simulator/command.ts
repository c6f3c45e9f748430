/**
 * The seam between the wire and the broker. `commands/*.ts` export lists of `Command`; the wire finds the command by its
 * path, checks the manager's right, calls `run`, and writes what it returns.
 *
 * What `answer` becomes on the wire (`codec.ts`):
 * - a member of an object that is a number or bigint becomes a JSON string (`"Login":"1001"`); booleans become "1"/"0";
 * - an element of an array that is a number stays bare (chart, tick history, lists of logins by number);
 * - money and prices are handed over as strings that already carry their digits;
 * - `Json` is written as it is, for what needs bare numbers in objects (book/get) or exact digits (`1.10780` in charts).
 */
import type { Broker } from './broker/broker.ts';
import type { Parameters } from './parameters.ts';
import type { Switches } from './switches.ts';

/** Text that is JSON already. */
export class Json {
  readonly text: string;
  #utf8: Buffer | undefined;
  constructor(text: string) {
    this.text = text;
  }

  /** For what is sent in parts: encoded once. */
  get utf8(): Buffer {
    return (this.#utf8 ??= Buffer.from(this.text));
  }
}

/** The same in UTF-8 and in parts, for what is megabytes long. */
export class JsonParts {
  readonly parts: readonly Buffer[];
  constructor(parts: readonly Buffer[]) {
    this.parts = parts;
  }
}

/** The rights of a manager that the commands ask for: names of the SDK's EnManagerRights. */
export type ManagerRight =
  | 'RIGHT_MANAGER'
  | 'RIGHT_ADMIN'
  | 'RIGHT_CFG_GROUPS'
  | 'RIGHT_CFG_SYMBOLS'
  | 'RIGHT_CFG_TIME'
  | 'RIGHT_CHARTS'
  | 'RIGHT_EMAIL'
  | 'RIGHT_NEWS'
  | 'RIGHT_NOTIFICATIONS'
  | 'RIGHT_ACCOUNTANT'
  | 'RIGHT_ACC_READ'
  | 'RIGHT_ACC_DETAILS'
  | 'RIGHT_ACC_MANAGER'
  | 'RIGHT_ACC_DELETE'
  | 'RIGHT_TRADES_READ'
  | 'RIGHT_TRADES_MANAGER'
  | 'RIGHT_TRADES_DEALER'
  | 'RIGHT_TRADES_DELETE'
  | 'RIGHT_REPORTS'
  | 'RIGHT_CLIENTS_ACCESS'
  | 'RIGHT_CLIENTS_EDIT';

export interface Manager {
  readonly login: number;
  readonly rights: ReadonlySet<ManagerRight>;
  /** Group masks as the administrator wrote them, e.g. `*` or `demo\*,!demo\old*`. */
  readonly groups: string;
}

export interface CommandRequest {
  /** `user/get`: the path without `/api/`, old spellings already translated. */
  readonly command: string;
  /** Scalars of query and body, the body's winning. */
  readonly parameters: Parameters;
  /** Parsed JSON, or the text where it is not JSON, or undefined where there is none. */
  readonly body: unknown;
  readonly broker: Broker;
  readonly manager: Manager;
  /** Of the connection that asks: dealer requests belong to it. */
  readonly connectionId: number;
  readonly switches: Readonly<Switches>;
}

export interface CommandReply {
  readonly retcode: number;
  /** `answer` of the reply; left out where undefined. */
  readonly answer?: unknown;
  /** Scalar answers, names as documented (`Total`, `Ticket`, `ID`): `answer` with the casing of the switch `scalarCasing`. */
  readonly scalars?: Readonly<Record<string, string | number | bigint>>;
  /** Members beside `retcode`: `trans_id`, `login`, ids of request results. */
  readonly top?: Readonly<Record<string, unknown>>;
}

export type CommandHandler = (request: CommandRequest) => CommandReply | Promise<CommandReply>;

export interface Command {
  /** `user/get` */
  readonly path: string;
  readonly run: CommandHandler;
  /** All of these are needed; lacking one is `8 Not enough permissions`, or `refusal`. */
  readonly rights: readonly ManagerRight[];
  readonly refusal?: number;
  /** Changes the books when it succeeds. */
  readonly mutates?: boolean;
  /** The body is a text (mail, news) and is never looked into for parameters. */
  readonly textBody?: boolean;
}

export const done = (answer?: unknown): CommandReply =>
  answer === undefined ? { retcode: 0 } : { retcode: 0, answer };
export const refused = (retcode: number): CommandReply => ({ retcode });
