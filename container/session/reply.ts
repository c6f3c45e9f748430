import { parseReply, retcodeMember, scanRetcode, type ReplyRetcode } from '../webapi/reply.ts';
import { SessionError, type Reply } from './upstream.ts';

/** Up to here an answer is parsed whole to find its retcode, which shows cut JSON too; a longer one only at its ends. */
const PARSE_AT_ONCE_BYTES = 64 * 1024;

/** One answer; nothing is parsed before it is asked for, and nothing twice. */
export class WebApiReply implements Reply {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly bytes: Uint8Array;
  #retcode: ReplyRetcode | null | undefined;
  #json: Record<string, unknown> | undefined;

  constructor(status: number, contentType: string | undefined, bytes: Uint8Array) {
    this.status = status;
    this.contentType = contentType;
    this.bytes = bytes;
  }

  get #scanned(): ReplyRetcode | null {
    return (this.#retcode ??= this.#findRetcode() ?? null);
  }

  #findRetcode(): ReplyRetcode | undefined {
    if (this.bytes.length > PARSE_AT_ONCE_BYTES) return scanRetcode(this.bytes);
    try {
      return retcodeMember(this.json());
    } catch {
      return undefined;
    }
  }

  get retcode(): number | undefined {
    return this.#scanned?.code;
  }

  get retcodeText(): string {
    return this.#scanned?.text ?? '';
  }

  json(): Record<string, unknown> {
    try {
      return (this.#json ??= parseReply(this.bytes));
    } catch (cause) {
      throw new SessionError('malformed', `The broker answered ${this.status} with a body that is not a JSON object.`, {
        dispatched: true,
        cause,
      });
    }
  }

  /** 403 (or 401) without a retcode: a lost session, or a right that the manager lacks. */
  get isBareForbidden(): boolean {
    return (this.status === 403 || this.status === 401) && this.retcode === undefined;
  }
}
