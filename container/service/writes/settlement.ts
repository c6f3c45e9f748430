import { BridgeError } from '../../contract/errors.ts';
import { SessionError, type Reply } from '../../session/upstream.ts';
import { isWireObject, parseExactJson, type WireObject } from '../../webapi/fields.ts';
import { replyError, retcodeError } from '../broker/upstream-errors.ts';
import { RETCODE, retcodeOf, type RetcodeClass } from '../../webapi/retcodes.ts';

/** An answer of the broker that goes to the caller as it came (`/api/*`). */
export interface RawAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** How a mutation ended, as far as its sender can tell. */
export type Settlement<Body extends object = object> = { readonly raw?: RawAnswer } &
  /** `as`: of a bulk request, whose parts were not all executed. */
  (
    | { readonly state: 'done'; readonly as?: 'partial' | 'refused'; readonly status: number; readonly body: Body }
    | { readonly state: 'refused'; readonly error: BridgeError }
    /** It was sent, and its outcome is for the books to tell. */
    | { readonly state: 'unknown'; readonly reason: string; readonly body?: Body }
  );

export const done = <Body extends object>(status: number, body: Body): Settlement<Body> => ({
  state: 'done',
  status,
  body,
});

/**
 * Codes that do not tell what happened: the access server may have lost the trade server after it passed the request
 * on. All others say that nothing was done.
 */
const AMBIGUOUS: ReadonlySet<number> = new Set([
  RETCODE.ERROR,
  RETCODE.ERR_NETWORK,
  RETCODE.ERR_TIMEOUT,
  RETCODE.ERR_CONNECTION,
  RETCODE.ERR_CANCEL,
  RETCODE.REQUEST_ERROR,
  RETCODE.REQUEST_TIMEOUT,
  RETCODE.REQUEST_CONNECTION,
  RETCODE.ERR_DEADLOCK,
]);
const AMBIGUOUS_CLASSES: ReadonlySet<RetcodeClass> = new Set<RetcodeClass>([
  'timeout',
  'accepted',
  'not_ready',
  'partial',
]);

const isAmbiguous = (retcode: number): boolean =>
  AMBIGUOUS.has(retcode) || AMBIGUOUS_CLASSES.has(retcodeOf(retcode).class) || retcodeOf(retcode).name === '';

/** What a retcode other than success means for a mutation. */
export function settledBy(retcode: number, text: string, what: string): Settlement<never> {
  const known = retcodeError(retcode, text, { write: true });
  if (known === undefined || isAmbiguous(retcode))
    return { state: 'unknown', reason: `${what}: the broker answered ${retcode} ${text}`.trimEnd() };
  // The same words; it is certain that nothing was done.
  const detail = `${what}: ${known.context.detail}`;
  return { state: 'refused', error: new BridgeError(known.code, { ...known.context, detail, outcome: 'refused' }) };
}

/** Malformed, unknown path, wrong method, type of body (mt5-webapi §1.6). */
const UNTAKEN: ReadonlySet<number> = new Set([400, 404, 405, 415]);

/** Retcode 0 with its payload, or what another retcode means for a mutation. */
export function settledReply<Body extends object>(
  reply: Reply,
  what: string,
  whenDone: (body: WireObject) => Settlement<Body>,
): Settlement<Body> {
  if (reply.retcode === RETCODE.OK) return whenDone(bodyOf(reply));
  if (reply.retcode !== undefined) return settledBy(reply.retcode, reply.retcodeText, what);
  // A bare 403 on a session that stays is the manager's missing right (mt5-webapi §1.6).
  if (reply.status === 401 || reply.status === 403) return settledBy(RETCODE.ERR_PERMISSIONS, '', what);
  // The access server itself did not take the request.
  const refusal = UNTAKEN.has(reply.status) ? replyError(reply) : undefined;
  if (refusal) return { state: 'refused', error: new BridgeError(refusal.code, `${what}: ${refusal.context.detail}`) };
  return { state: 'unknown', reason: `${what}: HTTP ${reply.status} without a retcode.` };
}

const decoder = new TextDecoder('utf-8');

/** The JSON object of an answer to something that was sent. @throws SessionError `malformed` */
export function bodyOf(reply: Reply): WireObject {
  try {
    const body = parseExactJson(decoder.decode(reply.bytes));
    if (isWireObject(body)) return body;
  } catch {
    // Falls through.
  }
  throw new SessionError('malformed', 'The answer is not a JSON object.', { dispatched: true });
}
