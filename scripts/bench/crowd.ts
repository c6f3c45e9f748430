import type { Child } from './measure/child.ts';
import type { Sample } from './report/model.ts';
import type { Started } from './systems/system.ts';
import {
  CROWD_LATENCY_MS,
  CROWD_ROWS,
  CROWD_WORK,
  type CrowdRow,
  measureCrowd,
  takesOrders,
} from './work/crowd-work.ts';
import { growPools } from './work/grow-pools.ts';

interface Crowd {
  readonly started: readonly Started[];
  readonly load: Child;
  readonly repetition: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Of the first orders that a process runs, which nobody measures. */
  readonly compileMs: number;
}
type Keep = (system: string, row: CrowdRow, measurement: () => Promise<Sample>) => Promise<void>;

/** Enough callers to compile what orders run through. */
const FIRST_ORDERS: CrowdRow = { mode: 'saturated', work: CROWD_WORK.order, callers: 8, systems: [] };

/** Every row on every system that it names, at a broker far away; the brokers are near again afterwards. */
export async function measureCrowdRows(crowd: Crowd, keep: Keep): Promise<void> {
  const { started, load, repetition, warmUpMs, durationMs, compileMs } = crowd;
  const latency = async (latencyMs: number): Promise<void> => {
    for (const { running } of started) await running.simulator?.setLatency(latencyMs);
  };
  const ordering = started.filter(({ system }) => takesOrders(system.name));
  await latency(0);
  if (repetition > 1) for (const { running } of ordering) await running.simulator?.resetBooks();
  for (const { running } of repetition === 1 ? ordering : [])
    await measureCrowd({ row: FIRST_ORDERS, running, load, warmUpMs: 0, durationMs: compileMs, repetition: 0 });
  const named = started.filter(({ system }) => CROWD_ROWS.some(({ systems }) => systems.includes(system.name)));
  await growPools(named, load);
  await latency(CROWD_LATENCY_MS);
  for (const row of CROWD_ROWS)
    for (const { system, running } of started.filter((each) => row.systems.includes(each.system.name)))
      await keep(system.name, row, () => measureCrowd({ row, running, load, warmUpMs, durationMs, repetition }));
  await latency(0);
}
