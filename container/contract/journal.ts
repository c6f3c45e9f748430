/** What the journal tells of: the container's life, traders' sessions that ended before their time, and changes of API keys. */
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
  'key',
  'error',
] as const;
export type JournalEvent = (typeof JOURNAL_EVENTS)[number];
