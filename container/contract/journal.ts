/**
 * What the journal tells of: the container's life, traders' sessions that ended before their time, changes of API keys,
 * wake-ups and crons that did not come (`missed`), and a month's cost beyond its budget.
 */
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
  'circuit',
  'key',
  'missed',
  'budget',
  'error',
] as const;
export type JournalEvent = (typeof JOURNAL_EVENTS)[number];
