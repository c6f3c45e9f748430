import type { Fault } from './fault.ts';

export const ORDER_FAULTS: readonly Fault[] = [
  {
    id: 'O1',
    fault: 'one `Idempotency-Key` twice, one after the other',
    holds: 'one dealer request; the second answer is the first, with `Idempotency-Replayed: true`',
    shownBy: {
      'integration/writes/key-limits': [
        'the same Idempotency-Key after a new sign-in replays, and finds its operation',
      ],
      'unit/state/operations-ledger': ['starts a key once: in flight while sending, replayed with its answer after'],
    },
  },
  {
    id: 'O2',
    fault: '50 requests with one key at once',
    holds: 'one order at the broker; the others wait for the same answer or are told that it is on its way',
    codes: ['operation_in_flight'],
    shownBy: {
      'integration/writes/trading-outcomes': ['50 concurrent requests with one key are one order'],
      'e2e/trading': ['50 concurrent requests with one key at a cold system are one order'],
    },
  },
  {
    id: 'O3',
    fault: 'one key, another body',
    holds: 'refused, nothing sent',
    codes: ['idempotency_key_reused'],
    shownBy: {
      'unit/service/writes/operation-runner': [
        'one key is one request: others are refused, told to wait, or given the stored answer',
      ],
    },
  },
  {
    id: 'O4',
    fault: 'killed between sending and the answer',
    holds: 'unknown, never sent again; the next process finds it in the books by its tag',
    codes: ['outcome_unknown'],
    shownBy: {
      'integration/writes/trading-restart': [
        'kill -9 while writes are on their way: the next process settles each of them, and sends none again',
      ],
      'e2e/trading': ['kill -9 after execution, before the answer: unknown, then found, and the key never sends again'],
      'e2e/killed-write': [
        'an order whose container is killed is sent once, told as unknown, and settled by the next one unasked',
      ],
      'e2e/aborted-holder': [
        'aborted before the server executed it: the order is sent once, and the books decide',
        'aborted after the server executed it: the retry says done, and nothing is sent again',
      ],
    },
  },
  {
    id: 'O5',
    fault: 'the dealer answers 10012 (time-out) or 10008 (placed)',
    holds: 'unknown until the books tell; placed, and not filled',
    codes: ['outcome_unknown'],
    shownBy: {
      'integration/writes/trading-outcomes': [
        'a time-out of the dealer (10012) is unknown until the books tell; an order that is only placed (10008) is not executed',
        'a final result with a number that nobody knows is told as what it is, and looked up in the books',
      ],
    },
  },
  {
    id: 'O6',
    fault: 'SIGTERM while orders are on their way',
    holds: 'each is answered or told as unknown within the grace; new ones are refused with `Retry-After`',
    codes: ['draining'],
    shownBy: {
      'integration/writes/trading-restart': [
        'SIGTERM in the middle: what was sent is answered, and the next process knows it',
      ],
      'integration/container-process': [
        '${signal}: what is in flight finishes, new work is told to come back, the server hears quit',
      ],
      'integration/writes/drain': [
        'a drain with an order at the dealer: its caller is told the way to it, and the next process settles it',
      ],
    },
  },
  {
    id: 'O7',
    fault: 'an order while the container starts',
    holds: 'sent within its deadline, or told that it was not sent',
    codes: ['deadline_exceeded', 'container_unavailable'],
    shownBy: {
      'e2e/trading': ['50 concurrent requests with one key at a cold system are one order'],
      'worker/lifecycle': ['by crash under a write without a ledger row: not sent, and not sent again'],
      'worker/half-dead': [
        'an order without a row in the ledger is not sent: told at its deadline, or when the container is dead',
      ],
      'unit/service/writes/operation-runner': [
        'what still waits at its %s is called off, was never sent, and frees its key',
      ],
    },
  },
  {
    id: 'O8',
    fault: 'volumes: 0.03, 0.29, 1e-9, 1e9, "NaN", -1, 1e400, "1,5", 0.1+0.2',
    holds: 'the exact scaled number, or refused by name',
    codes: ['invalid_field'],
    shownBy: {
      'unit/service/writes/trade-volumes': [
        'every multiple of every lot step is exact on both scales, and nothing between is taken',
        '%j is no volume',
      ],
    },
  },
  {
    id: 'O9',
    fault: 'prices and levels with too many digits, or on the wrong side',
    holds: 'refused by name; never rounded',
    codes: ['invalid_field'],
    shownBy: {
      'unit/service/writes/trade-volumes': [
        'prices keep the symbol’s digits and are never rounded',
        'levels on the wrong side of a pending price are refused, by name',
      ],
    },
  },
  {
    id: 'O10',
    fault: 'more than the limits of a key: lots, orders a minute, symbols, positions, exposure, money',
    holds: 'refused before anything is sent, in parallel too',
    codes: ['limit_exceeded'],
    shownBy: {
      'integration/writes/trading-safety': [
        'limits of a key hold before anything is sent',
        'limits of a key hold for what is changed, cancelled and closed, alone and in bulk',
      ],
      'integration/writes/key-limits': [
        '50 parallel orders cannot pass maxPositions together, pending orders counted',
        'parallel orders cannot pass maxExposureLots of a symbol and direction',
        'random orders of one limited key in parallel never exceed a limit',
      ],
    },
  },
  {
    id: 'O11',
    fault: 'a key that may only read, on every write',
    holds: 'refused, nothing reaches the broker',
    codes: ['scope_missing'],
    shownBy: {
      'integration/writes/trading-safety': ['is refused to a key that may only read, and nothing reaches the broker'],
      'integration/access-matrix': ['every operation × every kind of caller, on a VPS'],
      'e2e/access-matrix': ['every operation × every kind of caller, through the door'],
    },
  },
];
