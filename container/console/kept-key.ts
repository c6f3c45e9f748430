/** The key over a reload of this tab, only where the person chose so: `sessionStorage` ends with the tab. */
const NAME = 'mt5-edge-bridge-key';

export const keptKey = (): string | undefined => sessionStorage.getItem(NAME) ?? undefined;

/** `undefined` = forget it. */
export function keepKey(key: string | undefined): void {
  if (key === undefined) sessionStorage.removeItem(NAME);
  else sessionStorage.setItem(NAME, key);
}
