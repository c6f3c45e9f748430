import { loginAllowed, loginMaskText, parseLoginMask, type LoginMask } from './keys.ts';

/**
 * The names of what streams follow as one of the accounts' books:
 *
 *     1001                              a login
 *     group::real\*,!real\test*         the accounts of a group mask
 *     group:1001,1005-1010:real\*       of these logins only: what a key may see of it
 *     100|5|group::real\*               equity, below a margin level or above a drawdown; each bound may be empty
 */
export interface BookSlice {
  /** Set for a login. */
  readonly login?: string;
  /** Set for accounts of a group. */
  readonly mask?: string;
  readonly only?: LoginMask | undefined;
}

/** Decimals: percent. */
export interface EquityBounds {
  readonly marginLevelBelow?: string | undefined;
  readonly drawdownAbove?: string | undefined;
}

const GROUP = 'group:';

/** The longest name that is followed: sixteen masks of 128 characters, and the logins of a key. */
export const MAX_SLICE_KEY_CHARACTERS = 8_192;

/** Masks in one order, so that the same selection has the same name: what is excluded comes last, as MT5 writes it. */
export function groupKey(masks: readonly string[], only: LoginMask | undefined): string {
  const sorted = [...new Set(masks)].sort();
  const mask = [...sorted.filter((one) => !one.startsWith('!')), ...sorted.filter((one) => one.startsWith('!'))];
  return `${GROUP}${only ? loginMaskText(only) : ''}:${mask.join(',')}`;
}

export const isGroupKey = (key: string): boolean => key.includes(GROUP);

/** What all slices of one subscription have in common: a group is one by itself, logins share the bounds of equity. */
export const selectionOf = (key: string): string => (isGroupKey(key) ? key : key.slice(0, key.lastIndexOf('|') + 1));

/** Of a slice of books, for who reads an error. */
export function sliceInWords(key: string): string {
  const from = key.indexOf(GROUP);
  if (from < 0) return `Login ${key.slice(key.lastIndexOf('|') + 1)}`;
  return `Group "${bookSlice(key.slice(from)).mask ?? ''}"`;
}

export const equityKey = ({ marginLevelBelow = '', drawdownAbove = '' }: EquityBounds, key: string): string =>
  `${marginLevelBelow}|${drawdownAbove}|${key}`;

export function bookSlice(key: string): BookSlice {
  if (!key.startsWith(GROUP)) return { login: key };
  const at = key.indexOf(':', GROUP.length);
  const only = key.slice(GROUP.length, at);
  return { mask: key.slice(at + 1), only: only === '' ? undefined : parseLoginMask(only) };
}

export function equitySlice(key: string): BookSlice & EquityBounds {
  const [marginLevelBelow = '', drawdownAbove = '', ...rest] = key.split('|');
  return {
    ...bookSlice(rest.join('|')),
    marginLevelBelow: marginLevelBelow || undefined,
    drawdownAbove: drawdownAbove || undefined,
  };
}

/** Whether an account of the slice's group belongs to the slice. */
export const isShown = ({ only }: BookSlice, login: string): boolean => loginAllowed(only, Number(login));
