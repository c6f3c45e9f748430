import { parseReply, retcodeMember, scanRetcode, type ReplyRetcode } from '../webapi/reply.ts';
import { SessionError, type Reply } from './upstream.ts';

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
    return (this.#retcode ??= (this.#json ? retcodeMember(this.#json) : scanRetcode(this.bytes)) ?? null);
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
