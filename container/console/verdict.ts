import { counted } from './format.ts';
import type { Answers } from './sources.ts';

/** How it is, in one line: what an operator reads first. */
export interface Verdict {
  readonly tone: 'good' | 'calm' | 'busy' | 'bad';
  /** The tone in a word, for who sees no colours. */
  readonly word: string;
  readonly text: string;
  /** Why, where the bridge says so. */
  readonly reason: string | null;
}

type Status = Answers['status'];

const OF_SESSION: Readonly<Record<Status['session']['state'], Pick<Verdict, 'tone' | 'word' | 'text'>>> = {
  ready: { tone: 'good', word: 'Connected', text: 'Connected to the broker.' },
  asleep: { tone: 'calm', word: 'Asleep', text: 'Asleep. The next request starts it.' },
  idle: { tone: 'calm', word: 'Idle', text: 'Awake, and not signed in: the next request signs in.' },
  connecting: { tone: 'busy', word: 'Starting', text: 'Connecting to the broker.' },
  challenged: { tone: 'busy', word: 'Starting', text: 'Signing in at the broker.' },
  draining: { tone: 'busy', word: 'Stopping', text: 'Finishing what is in flight, then it stops.' },
  backoff: { tone: 'bad', word: 'Waiting', text: 'Not signed in: it waits before it tries again.' },
  refused: { tone: 'bad', word: 'Refused', text: 'The broker refuses the sign-in.' },
  unreachable: { tone: 'bad', word: 'Unreachable', text: 'The broker cannot be reached.' },
  closed: { tone: 'calm', word: 'Closed', text: 'The session has ended; the next request signs in again.' },
};

/** From the status alone, and nothing that it does not say. */
export function verdictOf(status: Status): Verdict {
  const { session, container, ready, reason } = status;
  const base = OF_SESSION[session.state];
  const unsettled =
    container.unsettled === 0
      ? ''
      : ` ${counted(container.unsettled, 'operation')} ${container.unsettled === 1 ? 'is' : 'are'} not settled.`;
  if (!ready && base.tone !== 'bad') return { tone: 'bad', word: 'Not ready', text: `Not ready.${unsettled}`, reason };
  // What is ready and has a reason all the same: its trading is halted.
  const tone = ready && reason !== null && base.tone === 'good' ? 'busy' : base.tone;
  return { ...base, tone, text: base.text + unsettled, reason };
}
