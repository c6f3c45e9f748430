import type { SESSION_STATES, VerdictLevel } from './schemas/status.ts';

/** What the verdict is made from; absent = nobody knows. */
export interface VerdictFacts {
  /** A request would be served now. */
  readonly ready: boolean;
  /** Why not, in plain words. */
  readonly reason: string | null;
  readonly session: {
    readonly state: (typeof SESSION_STATES)[number];
    /** When a sign-in is tried again, epoch ms. */
    readonly retryAtMs: number | null;
  };
  /** Why everybody's trading is halted. */
  readonly halted: string | null;
  /** Operations whose fate the broker's books could not tell, and those that the bridge still settles by itself. */
  readonly operations: { readonly orders: number; readonly others: number; readonly unsettled: number };
  readonly followed?: { readonly symbols: number; readonly stale: number } | undefined;
  /** Another side answers than the one that should. */
  readonly isFallback?: boolean;
  /** Circuit breakers, as the status tells them. */
  readonly circuits?: { readonly broker: Circuit; readonly road: Circuit } | undefined;
}

type Circuit = { readonly state: string } | null;

export interface Verdict {
  readonly level: VerdictLevel;
  /** One to some short sentences: `Connected. One order needs a look.` */
  readonly verdict: string;
}

/** The whole status in words, for who has no time for the rest. */
export function verdictOf(facts: VerdictFacts): Verdict {
  const { halted, followed, circuits } = facts;
  const { orders, others, unsettled } = facts.operations;
  const look = [
    ...(facts.isFallback ? ['The fallback answers.'] : []),
    ...(circuits?.broker?.state === 'open' ? ['Calls of the broker are held back.'] : []),
    ...(circuits?.road?.state === 'open' ? ['Calls of the container are held back.'] : []),
    ...(halted === null ? [] : ['Trading is halted.']),
    ...(orders + others === 0 ? [] : [needLook(orders, others)]),
    ...(followed && followed.stale > 0 ? [staleSymbols(followed)] : []),
  ];
  const settling =
    unsettled === 0 ? [] : [capital(`${counted(unsettled, 'operation is', 'operations are')} being settled.`)];
  return {
    level: !facts.ready ? 'bad' : look.length > 0 ? 'look' : 'good',
    verdict: [connection(facts), ...look, ...settling].join(' '),
  };
}

/** The verdict with what is wrong with the audit, which behind the Worker another object tells. */
export function besideAudit({ level, verdict }: Verdict, audit: { readonly fault: string | null } | null): Verdict {
  if (!audit?.fault) return { level, verdict };
  return { level: level === 'good' ? 'look' : level, verdict: `${verdict} The audit needs a look.` };
}

function connection({ ready, reason, session: { state, retryAtMs } }: VerdictFacts): string {
  const again =
    retryAtMs === null ? '' : ` The next sign-in is tried at ${new Date(retryAtMs).toISOString().slice(11, 19)} UTC.`;
  const failed = FAILED[state];
  if (failed !== undefined) return `Not connected: ${failed}.${again}`;
  if (state === 'draining') return 'Shutting down; another instance takes over.';
  if (!ready) return `Not working: ${sentence(reason ?? state)}`;
  if (state === 'ready') return 'Connected.';
  return state === 'connecting' || state === 'challenged'
    ? 'Connecting to the broker.'
    : 'Asleep: the next request connects.';
}

const FAILED: Readonly<Partial<Record<VerdictFacts['session']['state'], string>>> = {
  refused: 'the broker refuses the sign-in',
  unreachable: 'the broker cannot be reached',
  backoff: 'sign-ins have failed',
};

function needLook(orders: number, others: number): string {
  const parts = [
    ...(orders === 0 ? [] : [counted(orders, 'order', 'orders')]),
    ...(others === 0 ? [] : [counted(others, 'other operation', 'other operations')]),
  ];
  return capital(`${parts.join(' and ')} ${orders + others === 1 ? 'needs' : 'need'} a look.`);
}

const staleSymbols = ({ symbols, stale }: { symbols: number; stale: number }): string =>
  symbols === 1
    ? 'The followed symbol has no fresh quote.'
    : `${stale} of ${symbols} followed symbols ${stale === 1 ? 'has' : 'have'} no fresh quote.`;

const counted = (count: number, one: string, many: string): string =>
  `${count === 1 ? 'one' : count} ${count === 1 ? one : many}`;

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
