import { z } from 'zod';
import { REFERENCE_CLASSES } from './reference-data.ts';

/** Of several replicas, who holds the session, as the one that answered knows it. */
export const clusterOut = z.object({
  replica: z.string().meta({ description: 'The one that answered; new with each start of its process.' }),
  role: z.enum(['holder', 'follower']),
  holder: z
    .object({
      replica: z.string(),
      url: z.string(),
      token: z.int().meta({ description: 'Of its lease: each holder’s is higher than those before.' }),
    })
    .nullable()
    .meta({ description: '`null`: none is known; another begins within seconds.' }),
  leaseAgeMs: z.int().nullable().meta({ description: 'Since Redis last said so; `null` = it never has.' }),
  fault: z.string().nullable().meta({ description: 'Why Redis, or the ledger, could not be asked last.' }),
});

export type ClusterStatus = z.infer<typeof clusterOut>;

/**
 * What the holder publishes to the other replicas. `beat` comes with every renewal of the lease: as long as it is heard,
 * so is everything else.
 */
const messageSchema = z.union([
  z.strictObject({ beat: z.int() }),
  /** Reference data that a write may have changed. */
  z.strictObject({ changed: z.array(z.enum(REFERENCE_CLASSES)) }),
  /** Keys and traders' sessions that ended (`endedKey`, `endedSession`). */
  z.strictObject({ ended: z.array(z.string()) }),
  /** The lease was released: look now. */
  z.strictObject({ released: z.int() }),
]);
export type ClusterMessage = z.infer<typeof messageSchema>;

/** @returns undefined for what is no message of a replica */
export function parseClusterMessage(text: string): ClusterMessage | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
