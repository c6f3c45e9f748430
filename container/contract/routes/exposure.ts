import { z } from 'zod';
import type { AnswerOf } from '../route.ts';
import { decimal, instantMsOut, instantOut } from '../schemas/values.ts';
import { defineManyRead, ofMany, who } from './read.ts';

const lots = decimal.meta({ ...decimal.meta(), description: 'Lots.' });

/** For risk desks: what is open, in sum. */
export const getExposure = defineManyRead({
  id: 'getExposure',
  path: '/v1/exposure',
  tag: 'Trade data',
  summary: 'What is open of a group mask or of some accounts, summed by symbol and currency',
  description:
    'Profits are in the currency of the accounts, so that accounts of two currencies are two items of one symbol. ' +
    'Nothing is summed before every position was read.',
  query: ofMany({ ...who }),
  answer: z
    .object({
      items: z.array(
        z.object({
          symbol: z.string(),
          currency: z
            .string()
            .nullable()
            .meta({ description: 'Of the accounts; `null` where this manager may not see it.' }),
          longLots: lots,
          shortLots: lots,
          netLots: decimal.meta({ ...decimal.meta(), description: 'Long less short.' }),
          accounts: z.int().meta({ description: 'How many have a position in it.' }),
          profit: decimal.meta({ ...decimal.meta(), description: 'Floating, in `currency`.' }),
        }),
      ),
      readAt: instantOut,
      readAtMs: instantMsOut,
    })
    .meta({ id: 'Exposure' }),
  example: { query: { group: 'real\\*' } },
});
export type Exposure = AnswerOf<typeof getExposure>;
