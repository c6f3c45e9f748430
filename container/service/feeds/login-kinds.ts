import { money } from '../../contract/schemas/account.ts';
import type { AnyObjectDefinition } from '../../contract/schemas/object.ts';
import { order, position } from '../../contract/schemas/trade.ts';
import { Fields, type WireObject } from '../../webapi/fields.ts';
import type { BatchPath } from './reads.ts';

/** A topic of things that stand until they change. */
export interface Kind {
  readonly path: BatchPath;
  readonly definition: AnyObjectDefinition;
  /** Field that tells one from the other. */
  readonly id: string;
  /** Every login has exactly one: none means that there is no such login. */
  readonly one?: true;
  /** Where those that are gone are found. */
  readonly past?: {
    readonly path: BatchPath;
    readonly placedAt: string;
    readonly removedAt: string;
    /** Whether it would have been seen standing. */
    readonly isShown: (wire: WireObject) => boolean;
  };
  /** Words for what happened; `undefined` where the thing just changes. */
  readonly events?: { readonly added: string; readonly changed: string; readonly removed: string };
}

/** Market orders are gone when they are there: they stand in no list. `Type` 0 and 1 (mt5-webapi §3.5). */
function isPending(wire: WireObject): boolean {
  const type = new Fields(wire).integer('Type') ?? 0;
  return type > 1;
}

export const LOGIN_KINDS = {
  accounts: { path: 'user/account/get_batch', definition: money, id: 'Login', one: true },
  positions: {
    path: 'position/get_batch',
    definition: position,
    id: 'Position',
    events: { added: 'opened', changed: 'changed', removed: 'closed' },
  },
  orders: {
    path: 'order/get_batch',
    definition: order,
    id: 'Order',
    events: { added: 'placed', changed: 'changed', removed: 'removed' },
    past: { path: 'history/get_batch', placedAt: 'TimeSetup', removedAt: 'TimeDone', isShown: isPending },
  },
} as const satisfies Record<string, Kind>;
