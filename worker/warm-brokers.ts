import type { DoorConfig } from './config.ts';
import type { CronFiring } from './holder/policy/cron-watch.ts';
import { logEvent } from './log.ts';
import { bridgeOf } from './stubs.ts';
import { untold } from './told.ts';

/** A start keeps the account's containers and the network busy for 1–3 s: the next broker's begins after that. */
const STAGGER_MS = 3_000;

/** Cron: each broker's session is made ready, one after the other. @throws what the first failed with, after all were tried */
export async function warmBrokers(env: Env, config: DoorConfig, cron: CronFiring): Promise<void> {
  const warmed = config.brokers.map(async (broker, i) => {
    await scheduler.wait(i * STAGGER_MS);
    try {
      untold(await bridgeOf(env, config, broker).warm('cron', cron));
    } catch (error) {
      logEvent('fault', { kind: 'cron', broker: broker.id, error }, 'error');
      throw error;
    }
  });
  const failed = (await Promise.allSettled(warmed)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
