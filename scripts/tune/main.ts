/**
 * `npm run tune -- --url https://bridge.example --key mt5k_…` (or `--journal FILE`): when this bridge should be awake and
 * how large its container should be, as lines for `wrangler.jsonc`, with the cold hits and the bill to expect. Reads only,
 * starts nothing.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { JOURNAL_EVENTS } from '../../container/contract/journal.ts';
import { tradingCalendarSchema } from '../../container/contract/trading-calendar.ts';
import { CALENDAR, readLog } from '../sleep/traces.ts';
import { advise, type BrokerFacts, cronsText, type JournalItem, textOf } from './advice.ts';
import { type Demand, demandOf } from './demand.ts';

const USAGE = `npm run tune -- --url URL --key KEY | --journal FILE [--policy FILE] [--log FILE]

  --url URL       the bridge; every broker that the key may be used at is looked at
  --key KEY       an API key with scope "operate"
  --journal FILE  instead: the answer of GET /admin/journal?limit=999
  --policy FILE   beside it: the answer of GET /admin/policy, for the broker's calendar and the usual hours;
                  without it forex hours (17:00 in New York) are taken
  --log FILE      times of requests, one a line (RFC 3339, epoch ms, or JSON with "at"): better than what the bridge has
                  counted of the hours in which requests come
  --help          this`;

class BadOption extends Error {}

const OPTIONS = {
  url: { type: 'string' },
  key: { type: 'string' },
  journal: { type: 'string' },
  policy: { type: 'string' },
  log: { type: 'string' },
  help: { type: 'boolean' },
} as const;

const journalSchema = z.object({
  items: z.array(z.object({ atMs: z.number(), event: z.enum(JOURNAL_EVENTS), reason: z.string() })),
});
const policySchema = z.object({
  calendar: tradingCalendarSchema.nullable(),
  usualHours: z.array(z.object({ hourOfWeek: z.int().min(0).max(167), likelihood: z.number().min(0).max(1) })),
});
const brokersSchema = z.object({ items: z.array(z.object({ id: z.string(), path: z.string() })) });

interface Answers {
  readonly id: string;
  readonly journal: z.infer<typeof journalSchema>;
  readonly policy: z.infer<typeof policySchema> | undefined;
}

function options() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    throw new BadOption(error instanceof Error ? error.message : String(error));
  }
}

async function ofBridge(url: string, key: string): Promise<Answers[]> {
  const get = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => {
    const base = url.replace(/\/+$/, '');
    const answer = await fetch(base + path, { headers: { authorization: `Bearer ${key}` } }).catch((error: unknown) => {
      throw new BadOption(`--url: ${base} cannot be reached: ${String(error)}`);
    });
    const text = await answer.text();
    if (!answer.ok) throw new BadOption(`${path} answered ${answer.status}: ${text.slice(0, 300)}`);
    return read(path, text, schema);
  };
  const { items } = await get('/v1/brokers', brokersSchema);
  return Promise.all(
    items.map(async ({ id, path }) => ({
      id,
      journal: await get(`${path}/admin/journal?limit=999`, journalSchema),
      policy: await get(`${path}/admin/policy`, policySchema),
    })),
  );
}

function ofFiles(journal: string, policy: string | undefined): Answers[] {
  const of = <T>(file: string, schema: z.ZodType<T>): T => read(file, readFileSync(file, 'utf8'), schema);
  return [
    {
      id: 'main',
      journal: of(journal, journalSchema),
      policy: policy === undefined ? undefined : of(policy, policySchema),
    },
  ];
}

function read<T>(where: string, text: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new BadOption(`${where} is not what was expected: ${reason}`);
  }
}

/** The best that is known of when requests come. */
function demand({ journal, policy }: Answers, log: readonly number[] | undefined): Demand {
  if (log !== undefined) return demandOf(log, `Requests: ${log.length} times of the log.`);
  const counted = policy?.usualHours ?? [];
  if (counted.length > 0)
    return {
      likelihoods: new Map(counted.map(({ hourOfWeek, likelihood }) => [hourOfWeek, likelihood])),
      source: `Requests: in ${counted.length} hours of the week, as the bridge has counted them.`,
    };
  const starts = journal.items.filter(isAskedFor).map(({ atMs }) => atMs);
  return demandOf(
    starts,
    `Requests: ${starts.length} of the journal that started the container; others are not known.`,
  );
}

const isAskedFor = ({ event, reason }: JournalItem): boolean =>
  event === 'start' && (reason === 'request' || reason === 'stream');

async function main(): Promise<void> {
  const { url, key, journal, policy, log, help } = options();
  if (help === true) return console.log(USAGE);
  if ((url === undefined) === (journal === undefined))
    throw new BadOption('Give either --url with --key, or --journal.');
  if (url !== undefined && key === undefined) throw new BadOption('--key: is missing (a key with scope "operate")');
  const answers = url !== undefined && key !== undefined ? await ofBridge(url, key) : ofFiles(String(journal), policy);
  const times = log === undefined ? undefined : readLog(log);
  const nowMs = Date.now();
  const brokers = answers.map((answer): BrokerFacts => {
    if (!answer.policy?.calendar)
      console.log(`${answer.id}: its trading hours are not known yet; forex hours (17:00 in New York) are taken.\n`);
    return {
      id: answer.id,
      calendar: answer.policy?.calendar ?? {
        ...CALENDAR,
        markets: CALENDAR.markets.map((one) => ({ ...one, holidays: [] })),
      },
      demand: demand(answer, times),
      journal: answer.journal.items,
    };
  });
  const advices = brokers.map((broker, i) => advise(broker, i, nowMs));
  for (const [i, advice] of advices.entries()) {
    const facts = brokers[i];
    if (facts) console.log(textOf(advice, facts));
  }
  console.log(cronsText(advices));
}

try {
  await main();
} catch (error) {
  console.error(error instanceof BadOption ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = 1;
}
