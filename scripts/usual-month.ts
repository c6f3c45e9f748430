import { NOTHING, type Scenario } from '../container/state/cost/bill.ts';

const HOUR_S = 3600;
const DAYS = 30;
/** Hours of a month of 30 days. */
export const MONTH_HOURS = DAYS * 24;
/** Of them, those in which a market is open that trades around the clock on five days of seven. */
export const MARKET_HOURS = Math.round((MONTH_HOURS * 5) / 7);

/** The month that is reckoned where nothing else is said: one desk, awake always. */
export const USUAL_MONTH: Scenario = {
  ...NOTHING,
  awakeSeconds: MONTH_HOURS * HOUR_S,
  requests: 100_000,
  writes: 1_000,
  storedGb: 0.01,
  egressGb: 1,
};

/** A month of the least that DigitalOcean sells with 1 GiB (digitalocean.com/pricing/droplets, Basic). */
export const VPS_USD = 6;
