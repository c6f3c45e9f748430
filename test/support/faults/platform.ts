import type { Fault } from './fault.ts';

export const PLATFORM_FAULTS: readonly Fault[] = [
  {
    id: 'P1',
    fault: 'many requests start the container at once',
    holds: 'one start, all answered',
    shownBy: {
      'worker/lifecycle': [
        'is one for a thousand cold requests, with one sign-in and one journal entry',
        'twenty times at once: one start, one sign-in; the next read causes neither',
      ],
    },
  },
  {
    id: 'P2',
    fault: 'the port never opens, or the process exits in a loop',
    holds: 'bounded attempts, ever more seldom; told with the reason and `Retry-After`; no alarm spins',
    codes: ['container_unavailable', 'circuit_open'],
    shownBy: {
      'e2e/refused-sign-in': [
        'a container that cannot start is told with its exit code, and tried again less and less often',
      ],
      'worker/lifecycle': [
        'that is slow releases its callers at their deadline and goes on: the next one is answered',
        'costs at most 5 sign-ins in the first minute and 30 in all',
        'leaves no alarm behind',
      ],
      'worker/half-dead': ['is left alone, each caller answered at once; one request a wait tries it'],
    },
  },
  {
    id: 'P3',
    fault: 'Cloudflare has no instance, or limits starts',
    holds: 'tried again within the request, then told as that',
    codes: ['container_unavailable'],
    shownBy: {
      'worker/lifecycle': [
        'that the platform refuses answers 503 with a reason, waits longer each time, and succeeds later',
        'for which Cloudflare has no place yet is tried again within the request',
        'that Cloudflare limits is told so',
      ],
    },
  },
  {
    id: 'P4',
    fault: 'the Durable Object is reset, or the code replaced, under streams',
    holds: 'state from storage, no start, no sign-in; streams resume',
    shownBy: {
      'worker/reset': [
        'a reset of the Durable Object under a living container: no start, no sign-in, same epoch, nothing forgotten',
      ],
      'worker/stream-hub': ['keeps clients over the death of the container: replaced, gap, snapshot, and on'],
      'worker/state': ['operations outlive an abort of the object at every point of their life'],
    },
  },
  {
    id: 'P5',
    fault: '`sleepAfter` passes with a stream open and no request',
    holds: 'awake while somebody listens in trading hours; outside of them it sleeps and the hub keeps the clients',
    shownBy: {
      'worker/lifecycle': ['comes when nothing is open or unsettled, and is told as such'],
      'worker/stream-hub': [
        'sleeps with its clients connected, answers their pings asleep, and wakes with gap and snapshot',
      ],
    },
  },
  {
    id: 'P6',
    fault: 'a weekend: nobody asks, the market is closed',
    holds: 'sleeps, is awake before the open; what it costs is told',
    shownBy: {
      'worker/sleep-policy': [
        'sleeps at the close with a stream open, wakes before the open, and the first request finds it warm',
        'what is asked of it and what it writes is counted for the bill of the month',
      ],
      'unit/worker/holder/policy/awake': [
        'is awake from a minute before the open to the close, and tells when it wakes next',
        'the open moves with the summer time of the server',
      ],
    },
  },
  {
    id: 'P7',
    fault: 'the Worker is new and the container old, or the other way round',
    holds: 'refused until both are of one contract, saying which is older; what neither knows is passed over',
    codes: ['version_mismatch'],
    shownBy: {
      'worker/lifecycle': ['of an image with contract %i answers 503: %s'],
      'unit/contract/wires': ['reads the hello of another version, to be told which it is'],
      'integration/behind-the-door': ['what is no control message is passed over'],
    },
  },
  {
    id: 'P8',
    fault: 'the instance is gone or frozen while the platform says that it runs',
    holds: 'found by heartbeat and port, killed, replaced; waiting reads are answered by the next one',
    codes: ['container_unavailable'],
    shownBy: {
      'worker/half-dead': [
        'is found by heartbeat and port, killed and replaced; reads that wait at it are answered by the next',
        'a port that is gone under a greeted container: found, killed, replaced; the waiting read is answered',
      ],
      'e2e/frozen': [
        'a frozen container is replaced within 15 s: waiting reads are answered in their time, an order is told as not sent',
      ],
      'unit/worker/holder/heartbeat': [
        'one that is silent on channel and port is dead after ten seconds, and within thirteen; told once',
      ],
    },
  },
  {
    id: 'P9',
    fault: 'R2 or the folder of the audit cannot be written',
    holds: 'events wait in the memory and are stored later; writes are refused only where too many wait; reads go on',
    codes: ['outbox_full'],
    shownBy: {
      'unit/outbox/audit': [
        'keeps what waits while the store is away, says so, tries again ever more seldom, and takes no more than it can hold',
      ],
      'unit/outbox/outbox-life': [
        'kills, a store and a receiver that fail, seed %i: nothing is lost, and everything is in order',
      ],
      'unit/outbox/outbox': [
        'with too much waiting it begins no write, or gives up the oldest events and says how many',
      ],
    },
  },
  {
    id: 'P10',
    fault: 'the road to the container fails every call, then is back',
    holds: 'left alone after some failures, tried once a wait; a write that was handed over goes nowhere else',
    codes: ['circuit_open', 'outcome_unknown'],
    shownBy: {
      'worker/half-dead': ['is left alone, each caller answered at once; one request a wait tries it'],
      'worker/door-variables': ['a write is not, and is told as unknown'],
      'worker/origins': [
        'answers reads when no container can be had, says so, and gives the session back by itself',
        'takes writes where they are allowed; what one side has in the ledger the other never sends',
      ],
      'e2e/fallback': [
        'the container is gone for good: the next read is answered by the VPS, in time; streams go on there, with a gap told',
        'writes over a switch back and there, with connections that drop: each is executed once, and the ledger has it',
      ],
    },
  },
  {
    id: 'P11',
    fault: 'of several replicas one is killed, hangs, or loses Redis or the volume',
    holds:
      'another holds within 5 s, with one sign-in, on the same ledger; reads wait for it, streams miss no deal; nothing is sent twice',
    codes: ['outcome_unknown', 'no_holder', 'trading_halted'],
    shownBy: {
      'unit/cluster/lease': [
        'another begins within five seconds of the holder’s last word, under a higher token, on the same ledger',
        'without Redis the holder goes on: the ledger shows that nobody else has begun',
      ],
      'e2e/replicas': [
        'is killed: another goes on, with one sign-in, on the same ledger, and clients’ streams stay open',
        'hangs: another begins, and it writes and sends nothing more when it wakes, and ends',
        'without Redis everything goes on, but that nothing is answered from memory',
        'dies with its volume: the next begins with trading halted and says why',
      ],
      'e2e/proxies': [
        'killed under reads and orders: every read is answered, no order is executed twice, streams miss no deal',
      ],
    },
  },
];
