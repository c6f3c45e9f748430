import type { Answers } from './sources.ts';

/** How the bridge's own verdict looks: its words are the bridge's, the page chooses the colour and says it in a word too. */
export interface Tone {
  readonly tone: 'good' | 'calm' | 'busy' | 'bad';
  readonly word: string;
}

const UNDER_WAY: ReadonlySet<Answers['status']['session']['state']> = new Set(['connecting', 'challenged', 'draining']);

export function toneOf({ level, session }: Answers['status']): Tone {
  if (level === 'bad') return { tone: 'bad', word: 'Not working' };
  if (level === 'look') return { tone: 'busy', word: 'Needs a look' };
  if (UNDER_WAY.has(session.state)) return { tone: 'busy', word: 'Under way' };
  return session.state === 'ready' ? { tone: 'good', word: 'Good' } : { tone: 'calm', word: 'At rest' };
}
