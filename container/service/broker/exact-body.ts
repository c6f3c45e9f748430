import { BridgeError } from '../../contract/errors.ts';
import type { Reply } from '../../session/upstream.ts';
import { isWireObject, parseExactJson, type WireObject } from '../../webapi/fields.ts';
import { parseLongAnswer } from '../../webapi/long-answer.ts';

/** Rows of bare numbers come by the hundred thousand; `rows.ts` reads those from the bytes. */
const ROW_COMMANDS: ReadonlySet<string> = new Set(['chart/get', 'tick/history']);

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The whole answer, numbers as text. @throws BridgeError `broker_malformed` */
export function exactBody(reply: Reply, path: string): WireObject {
  if (ROW_COMMANDS.has(path)) return {};
  try {
    const body = parseLongAnswer(reply.bytes) ?? parseExactJson(decoder.decode(reply.bytes));
    if (isWireObject(body)) return body;
  } catch (cause) {
    throw new BridgeError('broker_malformed', { detail: `${path}: the broker's answer is not JSON.`, cause });
  }
  throw new BridgeError('broker_malformed', `${path}: the broker's answer is not a JSON object.`);
}
