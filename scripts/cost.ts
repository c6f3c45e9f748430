/**
 * `npm run cost`: a month's bill on Cloudflare, part by part and by instance type, beside a VPS, before anything is
 * deployed; or of the month so far, from a journal: `-- --journal FILE` (the answer of `GET /admin/journal?limit=999`)
 * or `-- --url https://… --key …`.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { JOURNAL_EVENTS } from '../container/contract/journal.ts';
import { type Bill, bill, cents, type Scenario } from '../container/state/cost/bill.ts';
import { awakeThisMonth } from '../container/state/cost/month-to-date.ts';
import { EGRESS, INSTANCE_TYPES, PRICES_READ } from '../container/state/cost/prices.ts';
import { MONTH_HOURS, USUAL_MONTH as USUAL, VPS_USD } from './usual-month.ts';

const HOUR_S = 3600;

const OPTIONS = {
  'instance-type': { type: 'string', default: USUAL.instanceType },
  'awake-hours': { type: 'string', default: String(MONTH_HOURS) },
  'cpu-busy': { type: 'string', default: String(USUAL.cpuBusy) },
  requests: { type: 'string', default: String(USUAL.requests) },
  writes: { type: 'string', default: String(USUAL.writes) },
  'client-messages': { type: 'string', default: '0' },
  'stream-hours': { type: 'string', default: '0' },
  'stored-gb': { type: 'string', default: String(USUAL.storedGb) },
  'egress-gb': { type: 'string', default: String(USUAL.egressGb) },
  'egress-region': { type: 'string', default: USUAL.egressRegion },
  'r2-gb': { type: 'string', default: '0' },
  'r2-writes': { type: 'string', default: '0' },
  'r2-reads': { type: 'string', default: '0' },
  'vps-usd': { type: 'string', default: String(VPS_USD) },
  journal: { type: 'string' },
  url: { type: 'string' },
  key: { type: 'string' },
} as const;
const USAGE = `npm run cost -- ${Object.keys(OPTIONS)
  .map((name) => `[--${name} …]`)
  .join(' ')}`;

class BadOption extends Error {}

const journalSchema = z.object({ items: z.array(z.object({ atMs: z.number(), event: z.enum(JOURNAL_EVENTS) })) });

function options() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    throw new BadOption(error instanceof Error ? error.message : String(error));
  }
}
type Options = ReturnType<typeof options>;

function scenarioOf(given: Options): Scenario & { readonly vpsUsd: number } {
  const number = (name: Exclude<keyof Options, 'journal' | 'url' | 'key'>, max = Infinity): number => {
    const value = Number(given[name]);
    if (given[name].trim() === '' || !(value >= 0 && value <= max && Number.isFinite(value)))
      throw new BadOption(`--${name}: expected a number from 0${max === Infinity ? '' : ` to ${max}`}`);
    return value;
  };
  const oneOf = <T extends string>(name: 'instance-type' | 'egress-region', table: Readonly<Record<T, unknown>>): T => {
    if (!Object.hasOwn(table, given[name])) throw new BadOption(`--${name}: expected ${Object.keys(table).join(', ')}`);
    return given[name] as T;
  };
  return {
    ...USUAL,
    instanceType: oneOf('instance-type', INSTANCE_TYPES),
    awakeSeconds: number('awake-hours', 744) * HOUR_S,
    cpuBusy: number('cpu-busy', 1),
    requests: number('requests'),
    writes: number('writes'),
    clientMessages: number('client-messages'),
    hubSeconds: number('stream-hours', 744) * HOUR_S,
    storedGb: number('stored-gb'),
    egressGb: number('egress-gb'),
    egressRegion: oneOf('egress-region', EGRESS),
    r2StoredGb: number('r2-gb'),
    r2Writes: number('r2-writes'),
    r2Reads: number('r2-reads'),
    vpsUsd: number('vps-usd'),
  };
}

async function journalText({ journal, url, key }: Options): Promise<string | undefined> {
  if (journal !== undefined) return readFileSync(journal, 'utf8');
  if (url === undefined) return undefined;
  if (key === undefined) throw new BadOption('--key: is missing (a key with scope "operate")');
  const answer = await fetch(new URL('/admin/journal?limit=999', url), {
    headers: { authorization: `Bearer ${key}` },
  });
  const text = await answer.text();
  if (!answer.ok) throw new BadOption(`${url} answered ${answer.status}: ${text.slice(0, 300)}`);
  return text;
}

function print(title: string, { lines, totalUsd }: Bill): void {
  const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 2 });
  console.log(`\n${title}\n`);
  console.log('| part | used | included | USD |\n| --- | --- | --- | --- |');
  for (const { part, unit, used, included, usd } of lines)
    console.log(`| ${part} | ${number(used)} ${unit} | ${number(included)} | ${cents(usd)} |`);
  console.log(`| **total** | | | **${cents(totalUsd)}** |`);
}

async function main(): Promise<void> {
  const given = options();
  const { vpsUsd, ...scenario } = scenarioOf(given);
  const text = await journalText(given);
  let month = scenario;
  if (text === undefined) {
    print(`A month with ${given['awake-hours']} hours awake on \`${scenario.instanceType}\``, bill(scenario));
  } else {
    const { ranMs, part } = awakeThisMonth(journalSchema.parse(JSON.parse(text)).items, Date.now());
    const awakeSeconds = ranMs / 1000;
    // Requests and what follows from them are not in the journal: the month's figures of the options, as far as it has come.
    const soFar = bill({
      ...scenario,
      awakeSeconds,
      requests: scenario.requests * part,
      writes: scenario.writes * part,
      clientMessages: scenario.clientMessages * part,
      hubSeconds: scenario.hubSeconds * part,
      egressGb: scenario.egressGb * part,
      r2Writes: scenario.r2Writes * part,
      r2Reads: scenario.r2Reads * part,
    });
    const hours = (awakeSeconds / HOUR_S).toFixed(1);
    print(`The month so far: ${hours} hours awake by the journal; requests as the options say`, soFar);
    month = { ...scenario, awakeSeconds: part > 0 ? awakeSeconds / part : 0 };
    console.log(`\nAt this pace the whole month: ${cents(bill(month).totalUsd)} USD.`);
  }
  console.log('\nThe same month by instance type, and beside a VPS:\n\n| where | USD a month |\n| --- | --- |');
  for (const instanceType of Object.keys(INSTANCE_TYPES) as (keyof typeof INSTANCE_TYPES)[])
    console.log(`| \`${instanceType}\` | ${cents(bill({ ...month, instanceType }).totalUsd)} |`);
  console.log(`| a VPS (\`--vps-usd\`) | ${cents(vpsUsd)} |`);
  console.log(
    `\nCloudflare's list prices as read on ${PRICES_READ}, the Workers Paid plan and its included amounts in.`,
  );
}

try {
  await main();
} catch (error) {
  console.error(error instanceof BadOption ? `${error.message}\n${USAGE}` : error);
  process.exitCode = 1;
}
