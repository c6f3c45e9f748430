import type { Child } from './measure/child.ts';
import { together, TURNS } from './measure/turns.ts';
import type { MeasureRow, Sample } from './report/model.ts';
import { POOL, vps } from './systems/vps.ts';
import { startTold } from './work/told-work.ts';
import {
  type Desk,
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
    await keep(DESK_WORK.accounts, () => measureAccounts(desk));
    await keep(DESK_WORK.exposure, () => measureExposure(desk));
    const orders = measureOrderTurns(desk);
    for (const work of [DESK_WORK.without, DESK_WORK.told, DESK_WORK.beside, DESK_WORK.lag] as const)
      await keep(work, async () => together((await orders)[work]));
    // What the orders opened, and what the program took for them, is not counted with the other.
    await running.simulator?.resetBooks();
    await running.makeCold?.();
    await keep(DESK_WORK.held, () => measureHeld(desk));
  } finally {
    await running.stop();
  }
}

type OrderWork = (typeof DESK_WORK)['without' | 'told' | 'beside' | 'lag'];

/** Orders alone, told and beside a desk, by turns. */
async function measureOrderTurns(desk: Desk): Promise<Record<OrderWork, Sample[]>> {
  const found: Record<OrderWork, Sample[]> = {
    [DESK_WORK.without]: [],
    [DESK_WORK.told]: [],
    [DESK_WORK.beside]: [],
    [DESK_WORK.lag]: [],
  };
  if (!desk.running.simulator) throw new Error('there is no broker of ours');
  const told = await startTold(desk.running.simulator);
  try {
    for (let turn = 0; turn < TURNS; turn++) {
      found[DESK_WORK.without].push(await measureOrders(desk));
      found[DESK_WORK.told].push(await measureOrders({ ...desk, running: told }));
      const { orders, lag } = await measureBeside(desk);
      found[DESK_WORK.beside].push(orders);
      found[DESK_WORK.lag].push(lag);
    }
  } finally {
    await told.stop();
  }
  return found;
}
