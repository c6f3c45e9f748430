import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { CLIENT_REFERENCE, ownWords, ownWordsFit } from '../../../../container/contract/schemas/operation.ts';
import { clientReferenceIn, tagIn, taggedComment } from '../../../../container/service/broker/own-comment.ts';
import { randomBase32 } from '../../../../container/state/random.ts';

it('what is written is read back, and fits into MT5’s 31 characters', () => {
  const comment = fc.string({ maxLength: 20 }).filter((text) => ownWords.comment.safeParse(text).success);
  const clientReference = fc.stringMatching(new RegExp(`^${CLIENT_REFERENCE.source}$`));
  const words = fc.record({ comment, clientReference }, { requiredKeys: [] }).filter(ownWordsFit.check);
  fc.assert(
    fc.property(words, (own) => {
      const tag = randomBase32(10);
      const written = taggedComment(own, tag);
      expect(written.length).toBeLessThanOrEqual(31);
      expect(tagIn(written)).toBe(tag);
      expect(clientReferenceIn(written)).toBe(own.clientReference);
    }),
  );
});

it.each(['', 'withdrawal', 'order #4711 withdrawal', '[sl 1.10000]', 'a~b', '~abcdefghij', 'a b~ABCDEFGHIJ'])(
  'nobody’s own id is seen in %j',
  (comment) => {
    expect(clientReferenceIn(comment)).toBeUndefined();
  },
);
