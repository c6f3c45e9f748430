/** Misbehaviour on demand: what is armed, and which of it the next request meets. README.md says what each does. */
export const REQUEST_FAULTS = [
  'drop-before-execution',
  'drop-after-execution',
  'execute-late',
  'reset',
  'hang',
  'half-open',
  'status',
  'html',
  'redirect',
  'forbidden-once',
  'refuse-sign-in',
  'wrong-cli-rand-answer',
  'truncate',
  'wrong-length',
  'chunked-without-end',
  'huge',
  'slow-drip',
  'slow',
] as const;
export const SERVER_FAULTS = ['maintenance', 'silent-connect'] as const;
export const FEED_FAULTS = ['freeze-feed', 'gap', 'out-of-order'] as const;

export type RequestFaultKind = (typeof REQUEST_FAULTS)[number];
export type FaultKind = RequestFaultKind | (typeof SERVER_FAULTS)[number] | (typeof FEED_FAULTS)[number];
const KINDS: readonly string[] = [...REQUEST_FAULTS, ...SERVER_FAULTS, ...FEED_FAULTS];

export interface Fault {
  readonly kind: FaultKind;
  /** Requests that still meet it. */
  count: number;
  /** `user/get`, `user/*`, or `*`; undefined: any command but the sign-in, ping and quit; of execute-late any that mutates. */
  readonly command: string | undefined;
  readonly ms: number;
  readonly code: number;
}

/** What one request meets: a delay, and at most one thing that spoils its answer. */
export interface FaultPlan {
  readonly delayMs: number;
  readonly spoiler: Fault | undefined;
}

const DEFAULT_MS: Partial<Record<FaultKind, number>> = {
  slow: 2000,
  'slow-drip': 50,
  'execute-late': 2000,
  maintenance: 5000,
  'silent-connect': 5000,
  'freeze-feed': 5000,
  gap: 5000,
  'out-of-order': 1000,
};
const DEFAULT_CODE: Partial<Record<FaultKind, number>> = { status: 503, 'refuse-sign-in': 1001, redirect: 302 };
const DEFAULT_COMMAND: Partial<Record<FaultKind, string>> = {
  'refuse-sign-in': 'auth/start',
  'wrong-cli-rand-answer': 'auth/answer',
};
const UNASKED = new Set(['auth/start', 'auth/answer', 'test/access', 'test/trade', 'quit']);

/** A fault from the control port; or what is wrong with it, naming the field. */
export function parseFault(input: unknown): Fault | string {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return 'expected an object {kind, count?, command?, ms?, code?}';
  }
  const fields = new Map<string, unknown>(Object.entries(input));
  const unknown = [...fields.keys()].find((name) => !['kind', 'count', 'command', 'ms', 'code'].includes(name));
  if (unknown !== undefined) return `${unknown}: no such field; expected kind, count, command, ms, code`;
  const kind = fields.get('kind');
  if (typeof kind !== 'string' || !KINDS.includes(kind)) return `kind: expected one of ${KINDS.join(', ')}`;
  const faultKind = kind as FaultKind;
  const count = fields.get('count') ?? 1;
  if (count !== 'always' && !isIntegerWithin(count, 1, 1e9)) return 'count: expected an integer from 1, or "always"';
  const ms = fields.get('ms') ?? DEFAULT_MS[faultKind] ?? 0;
  if (!isIntegerWithin(ms, 0, 86_400_000)) return 'ms: expected an integer from 0 to 86400000';
  const code = fields.get('code') ?? DEFAULT_CODE[faultKind] ?? 0;
  const [least, most] = faultKind === 'status' ? [200, 599] : faultKind === 'redirect' ? [300, 399] : [0, 99_999];
  if (!isIntegerWithin(code, least, most)) return `code: expected an integer from ${least} to ${most}`;
  const command = fields.get('command') ?? DEFAULT_COMMAND[faultKind];
  if (command !== undefined && typeof command !== 'string')
    return 'command: expected a command such as user/get, user/* or *';
  return {
    kind: faultKind,
    count: count === 'always' ? Number.POSITIVE_INFINITY : count,
    command: command?.replace(/^\/?(?:api\/)?/, ''),
    ms,
    code,
  };
}

const isIntegerWithin = (value: unknown, from: number, to: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to;

export class Faults {
  #armed: Fault[] = [];

  /** No request has to ask while nothing is armed. */
  get none(): boolean {
    return this.#armed.length === 0;
  }

  arm(fault: Fault): void {
    this.#armed.push(fault);
  }

  clear(): void {
    this.#armed = [];
  }

  list(): readonly object[] {
    return this.#armed.map((fault) => ({ ...fault, count: Number.isFinite(fault.count) ? fault.count : 'always' }));
  }

  /** Every matching delay adds up; of the rest the first armed is met, the others wait for later requests. */
  take(command: string, mutates: boolean): FaultPlan {
    let delayMs = 0;
    let spoiler: Fault | undefined;
    for (const fault of this.#armed) {
      if (!matches(fault, command, mutates) || (fault.kind !== 'slow' && spoiler !== undefined)) continue;
      if (fault.kind === 'slow') delayMs += fault.ms;
      else spoiler = { ...fault };
      fault.count -= 1;
    }
    this.#armed = this.#armed.filter(({ count }) => count > 0);
    return { delayMs, spoiler };
  }
}

function matches(fault: Fault, command: string, mutates: boolean): boolean {
  if (fault.command === undefined) return fault.kind === 'execute-late' ? mutates : !UNASKED.has(command);
  if (fault.command.endsWith('*')) return command.startsWith(fault.command.slice(0, -1));
  return fault.command === command;
}
