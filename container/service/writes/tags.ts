import { TAG_CHARACTERS } from '../../contract/schemas/operation.ts';
import { BASE32, randomBase32 } from '../../state/random.ts';

/** One ledger in 32,768 has the same; the other seven characters tell 34 thousand million operations apart. */
const MARK_CHARACTERS = 3;

/**
 * Tags of operations, the last word of an order's or deal's comment: the mark of the ledger that they are written in, then
 * something random. By the mark a bridge knows its own operations in the broker's books, and sees when its ledger does
 * not.
 */
export class Tags {
  readonly #secret: () => Promise<string>;
  #mark: Promise<string> | undefined;

  /** `secret`: hex, of the ledger (`OperationsApi.fingerprintSecret`). */
  constructor(secret: () => Promise<string>) {
    this.#secret = secret;
  }

  async next(): Promise<string> {
    return (await this.#ownMark()) + randomBase32(TAG_CHARACTERS - MARK_CHARACTERS);
  }

  async isOurs(tag: string): Promise<boolean> {
    return tag.length === TAG_CHARACTERS && tag.startsWith(await this.#ownMark());
  }

  #ownMark(): Promise<string> {
    this.#mark ??= this.#secret()
      .then(markOf)
      .catch((error: unknown) => {
        this.#mark = undefined;
        throw error;
      });
    return this.#mark;
  }
}

/** A hash, so that comments tell nothing of the secret. */
async function markOf(secret: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', Buffer.from(`tag ${secret}`, 'utf8'));
  return Array.from(new Uint8Array(digest).subarray(0, MARK_CHARACTERS), (byte) => BASE32[byte % 32]).join('');
}
