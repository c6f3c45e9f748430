import { CLIENT_REFERENCE, TAG_CHARACTERS } from '../../contract/schemas/operation.ts';

/**
 * The comment of what the bridge does at the broker: words of the caller, its own id, and the operation's tag, as
 * `hedge of 12 order-77~abcdefghij`. All of it is the broker's own record: it outlives the ledger, and is read from the row
 * alone.
 */

export interface OwnWords {
  readonly comment?: string | undefined;
  readonly clientReference?: string | undefined;
}

export function taggedComment({ comment = '', clientReference = '' }: OwnWords, tag: string): string {
  const last = clientReference === '' ? tag : `${clientReference}~${tag}`;
  return comment === '' ? last : `${comment} ${last}`;
}

const lastWord = (comment: string): string => comment.slice(comment.lastIndexOf(' ') + 1);

/** The tag of an operation, where there is one: any other last word otherwise. */
export function tagIn(comment: string): string {
  const word = lastWord(comment);
  return word.slice(word.lastIndexOf('~') + 1);
}

const OWN = new RegExp(`^(${CLIENT_REFERENCE.source})~[a-z2-7]{${TAG_CHARACTERS}}$`);

export const clientReferenceIn = (comment: string): string | undefined =>
  comment.at(-TAG_CHARACTERS - 1) === '~' ? OWN.exec(lastWord(comment))?.[1] : undefined;
