import type { Actor } from '../contract/events.ts';
import type { KeyRecord } from '../contract/key-records.ts';

/** A key as administrators see it: nothing that opens anything. */
export interface KeyEntry extends Omit<KeyRecord, 'hash'> {
  /** Two while it is being rotated. */
  readonly hashes: number;
  /** Whether `BRIDGE_API_KEYS` names it, or an administrator made it. */
  readonly source: 'variable' | 'admin';
  readonly createdAtMs: number;
  readonly changedAtMs: number;
  /** To the minute; null = never. */
  readonly lastUsedAtMs: number | null;
  readonly revokedAtMs: number | null;
}

type Rights = Omit<KeyRecord, 'id' | 'hash'>;
/** What is named changes; `null` takes a bound away. */
export type KeyChange = { readonly [Name in keyof Rights]?: Rights[Name] | null | undefined };

/**
 * Administration of the API keys. Where the state is not in this process, the container has no part in it. `by`, here and
 * below: who asked, for the event that tells of it; the bridge itself if absent.
 */
export interface KeysApi {
  list(): Promise<readonly KeyEntry[]>;
  /** @throws BridgeError `invalid_field` for an id in use */
  create(record: KeyRecord, by?: Actor): Promise<KeyEntry>;
  /** @throws BridgeError `object_not_found`, here and below */
  change(id: string, change: KeyChange, by?: Actor): Promise<KeyEntry>;
  /** `keepOld`: the newest secret of before opens too, until the rotation is finished. */
  rotate(id: string, hash: string, keepOld: boolean, by?: Actor): Promise<KeyEntry>;
  finishRotation(id: string, by?: Actor): Promise<KeyEntry>;
  revoke(id: string, by?: Actor): Promise<boolean>;
}
