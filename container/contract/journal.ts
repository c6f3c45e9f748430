/** What the journal tells of: the container's life, and traders' sessions that ended before their time. */
export const JOURNAL_EVENTS = [
  'start',
  'ready',
  'stop',
  'crash',
  'sleep',
  'rollout',
  'warm',
  'hand_over',
  'fenced',
  'session_ended',
  'error',
] as const;
export type JournalEvent = (typeof JOURNAL_EVENTS)[number];
