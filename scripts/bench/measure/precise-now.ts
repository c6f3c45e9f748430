/**
 * Epoch ms with microseconds: what is shorter than a few milliseconds cannot be told with `Date.now()`. Two processes of one
 * machine agree to about a tenth of a millisecond.
 */
export const preciseNowMs = (): number => Math.round((performance.timeOrigin + performance.now()) * 1000) / 1000;
