import { z } from 'zod';
import { SETTING_NAMES, type StoredSettings } from './stored-settings.ts';
import type { SymbolsApi } from './state-api.ts';

/** What is used once a fortnight is in use. */
const KEPT_MS = 14 * 24 * 3_600_000;
/** The latest; a year of whole symbol trees would be asked for at once. */
const MOST = 100;

const recordSchema = z.record(z.string(), z.number());

/** Symbols by when they were last used. */
export class KeptSymbols implements SymbolsApi {
  readonly #settings: StoredSettings;
  readonly #now: () => number;

  constructor(settings: StoredSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  async used(names: readonly string[]): Promise<void> {
    const nowMs = this.#now();
    const kept = new Map([...this.#read(), ...names.map((name) => [name, nowMs] as const)]);
    this.#settings.write(SETTING_NAMES.symbols, Object.fromEntries(latest(kept, nowMs)));
  }

  async inUse(): Promise<readonly string[]> {
    return latest(this.#read(), this.#now())
      .map(([name]) => name)
      .sort();
  }

  #read(): Map<string, number> {
    return new Map(Object.entries(this.#settings.read(SETTING_NAMES.symbols, recordSchema) ?? {}));
  }
}

const latest = (kept: ReadonlyMap<string, number>, nowMs: number): (readonly [string, number])[] =>
  [...kept]
    .filter(([, atMs]) => nowMs - atMs < KEPT_MS)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST);
