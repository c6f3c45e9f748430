import { ACCESS_FAULTS } from './access.ts';
import type { Fault, FaultGroup } from './fault.ts';
import { INPUT_FAULTS } from './input.ts';
import { ORDER_FAULTS } from './orders.ts';
import { PLATFORM_FAULTS } from './platform.ts';
import { SESSION_FAULTS } from './session.ts';
import { STREAM_FAULTS } from './streams.ts';

/** Every fault that the bridge is held to; `npm run faults` writes them with what a run of the tests said. */
export const FAULT_GROUPS: readonly FaultGroup[] = [
  { title: 'Session', faults: SESSION_FAULTS },
  { title: 'Orders', faults: ORDER_FAULTS },
  { title: 'Streams', faults: STREAM_FAULTS },
  { title: 'HTTP and input', faults: INPUT_FAULTS },
  { title: 'Access', faults: ACCESS_FAULTS },
  { title: 'Platform', faults: PLATFORM_FAULTS },
];

export const FAULTS: readonly Fault[] = FAULT_GROUPS.flatMap(({ faults }) => faults);
