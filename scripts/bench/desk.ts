import type { Child } from './measure/child.ts';
import type { MeasureRow, Sample } from './report/model.ts';
import { POOL, vps } from './systems/vps.ts';
import { measureTold } from './work/told-work.ts';
import {
  DESK_CLIENTS,
  DESK_LATENCY_MS,
  DESK_WORK,
  measureAccounts,
  measureBeside,
  measureExposure,
  measureHeld,
  measureOrders,
} from './work/desk-work.ts';

export type DeskWork = (typeof DESK_WORK)[keyof typeof DESK_WORK];

/** The large book on a bridge and a broker of its own. What the bridge does not have is skipped by name. */
export async function measureDesk(load: Child, quick: boolean, repetition: number, measure: MeasureRow): Promise<void> {
  const row = { system: 'vps-desk', mode: 'desk', upstreamLatencyMs: DESK_LATENCY_MS, concurrency: 1 } as const;
  const keep = (work: DeskWork, measurement: () => Promise<Sample>): Promise<void> =>
    measure({ ...row, work }, measurement);
  const running = await vps('vps-desk', POOL, {}, DESK_CLIENTS).start();
  try {
    await running.simulator?.setLatency(DESK_LATENCY_MS);
    const desk = { running, load, quick, repetition };
    await keep(DESK_WORK.without, () => measureOrders(desk));
    await keep(DESK_WORK.told, () => measureTold(desk));
    await keep(DESK_WORK.accounts, () => measureAccounts(desk));
    await keep(DESK_WORK.exposure, () => measureExposure(desk));
    await keep(DESK_WORK.held, () => measureHeld(desk));
    let lag: Sample | undefined;
    await keep(DESK_WORK.beside, async () => {
      const beside = await measureBeside(desk);
      ({ lag } = beside);
      return beside.orders;
    });
    await keep(DESK_WORK.lag, async () => {
      if (!lag) throw new Error('the orders beside a desk were not measured');
      return lag;
    });
  } finally {
    await running.stop();
  }
}
