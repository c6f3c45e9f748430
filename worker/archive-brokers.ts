import { archiveBucketOf, type DoorConfig } from './config.ts';
import { logEvent } from './log.ts';
import { outboxOf } from './stubs.ts';

/** Cron: closed days of each broker are kept, one broker after the other. Where no bucket is bound, nothing is done. */
export async function archiveBrokers(env: Env, { brokers }: DoorConfig): Promise<void> {
  if (!archiveBucketOf(env)) return;
  for (const broker of brokers)
    await outboxOf(env, broker)
      .archive()
      .catch((error: unknown) => logEvent('fault', { kind: 'archive', broker: broker.id, error }, 'error'));
}
