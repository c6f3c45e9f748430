const ABSENT = '–';

/** Three significant digits, and no exponent. */
export function figure(value: number | undefined, unit = ''): string {
  if (value === undefined || !Number.isFinite(value)) return ABSENT;
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return `${value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 3) })}${unit}`;
}

export const ratio = (value: number | undefined): string =>
  value === undefined || !Number.isFinite(value) ? ABSENT : value.toFixed(2);
