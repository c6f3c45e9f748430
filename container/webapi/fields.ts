/**
 * The one tolerant reader of the server's JSON. MT5 builds disagree on casing, on numbers as strings or bare, on names
 * (`ModifyFlags` or `ModificationFlags`), on fields missing or new (mt5-webapi §3.0, §8). Here every scalar becomes text
 * exactly as sent, names are found in any casing and under any alias, and what nobody asked for is left over by name.
 */
export type WireValue = string | boolean | null | WireObject | readonly WireValue[];
export interface WireObject {
  readonly [name: string]: WireValue;
}

/** The source text of a number that the reviver sees (ECMAScript "JSON.parse source text access"; in V8 since 11.4). */
interface ReviverContext {
  readonly source?: string;
}

/** A bare number after `:`, `[` or `,`; inside a string it costs time only. */
const BARE_NUMBER = /[:[,]\s*-?\d/;

/** JSON with every number as its source text, so that no id or price passes through a float. @throws SyntaxError */
export function parseExactJson(text: string): WireValue {
  if (!BARE_NUMBER.test(text)) return JSON.parse(text) as WireValue;
  const keepSource = (_name: string, value: unknown, context?: ReviverContext): unknown =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value;
  return JSON.parse(text, keepSource) as WireValue;
}

/** A number that JSON.stringify writes as it came (ECMAScript "JSON.parse source text access"; in V8 since 11.4). */
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

/** An answer's first object for writing it back: numbers, bare or not, and what is nested stay as they were sent. */
export function objectAsSent(text: string): Readonly<Record<string, unknown>> {
  const keepNumber = (_name: string, value: unknown, context?: ReviverContext): unknown =>
    typeof value === 'number' ? rawJSON(context?.source ?? String(value)) : value;
  const body = JSON.parse(text, keepNumber) as Readonly<Record<string, unknown>>;
  const name = Object.keys(body).find((key) => key.toLowerCase() === 'answer') ?? '';
  const answer = body[name];
  return ((Array.isArray(answer) ? answer[0] : answer) ?? {}) as Readonly<Record<string, unknown>>;
}

export const isWireObject = (value: WireValue | undefined): value is WireObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One object of the server, read field by field. Names as documented are found at once, others by any casing. */
export class Fields {
  readonly #object: WireObject;
  readonly #taken = new Set<string>();
  /** Names as sent; looked through where a documented name is not there. */
  #names: readonly string[] | undefined;

  constructor(object: WireObject) {
    this.#object = object;
  }

  /** The value under the first of these names that is there, and marks it as read. */
  take(...names: readonly string[]): WireValue | undefined {
    return this.#find(names);
  }

  #find(names: readonly string[]): WireValue | undefined {
    let found: WireValue | undefined;
    for (const name of names) {
      const sent = this.#nameOf(name);
      if (sent === undefined) continue;
      this.#taken.add(sent);
      found ??= this.#object[sent];
    }
    return found;
  }

  #nameOf(name: string): string | undefined {
    if (Object.hasOwn(this.#object, name)) return name;
    this.#names ??= Object.keys(this.#object);
    return this.#names.findLast((sent) => sent.length === name.length && isSameName(sent, name));
  }

  /** A scalar as text; `undefined` where it is missing, null, or not a scalar. */
  text(...names: readonly string[]): string | undefined {
    return this.textOf(names);
  }

  textOf(names: readonly string[]): string | undefined {
    const value = this.#find(names);
    if (typeof value === 'string') return value;
    return typeof value === 'boolean' ? (value ? '1' : '0') : undefined;
  }

  /** A whole number that a float holds exactly. */
  integer(...names: readonly string[]): number | undefined {
    return wireInteger(this.textOf(names));
  }

  /** Everything nobody asked for, as sent; no second casing of what was asked for either. */
  rest(): Record<string, WireValue> {
    const rest: Record<string, WireValue> = {};
    if (this.#taken.size === Object.keys(this.#object).length) return rest;
    let takenInLowerCase: Set<string> | undefined;
    for (const [name, value] of Object.entries(this.#object)) {
      if (this.#taken.has(name)) continue;
      takenInLowerCase ??= new Set([...this.#taken].map((taken) => taken.toLowerCase()));
      if (takenInLowerCase.has(name.toLowerCase())) continue;
      Object.defineProperty(rest, name, { value, enumerable: true, configurable: true, writable: true });
    }
    return rest;
  }
}

/** In any casing. The first letter tells most apart, so that few are made lower case: an account has dozens of names. */
const isSameName = (sent: string, name: string): boolean =>
  (sent.charCodeAt(0) | 0x20) === (name.charCodeAt(0) | 0x20) && sent.toLowerCase() === name.toLowerCase();

/** Text → whole number; `10009 Done` and `5.00` are read too. `undefined` beyond 2^53. */
export function wireInteger(text: string | undefined): number | undefined {
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  const digits = /^\s*([+-]?\d{1,16})(?:\.0*)?(?=\s|$)/.exec(text ?? '')?.[1];
  if (digits === undefined) return undefined;
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : undefined;
}

/**
 * The payload of a reply: `answer` in any casing; where it is missing, everything beside `retcode` (some commands put
 * their result at top level).
 */
export function payload(body: WireObject): WireValue {
  const fields = new Fields(body);
  const answer = fields.take('answer');
  if (answer !== undefined) return answer;
  fields.take('retcode');
  return fields.rest();
}

/** One scalar of the payload by name (`Total`), or the payload itself where it is a scalar. */
export function payloadScalar(body: WireObject, ...names: readonly string[]): string | undefined {
  const value = payload(body);
  if (typeof value === 'string') return value;
  const inner = isWireObject(value) ? new Fields(value).text(...names) : undefined;
  return inner ?? new Fields(body).text(...names);
}

/** The payload as a list of objects: a single object counts as a list of one, null and scalars as none. */
export function payloadObjects(body: WireObject): readonly WireObject[] {
  const value = payload(body);
  if (Array.isArray(value)) return value.filter((item): item is WireObject => isWireObject(item));
  return isWireObject(value) && Object.keys(value).length > 0 ? [value] : [];
}
