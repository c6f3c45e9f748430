import type { Fault } from './fault.ts';

export const SESSION_FAULTS: readonly Fault[] = [
  {
    id: 'S1',
    fault: '100 and 1000 requests at once on a cold process',
    holds: 'one sign-in, every request answered',
    shownBy: {
      'integration/session/session-storm': [
        '${count} reads at once on a cold bridge wait for one sign-in, and none fails',
      ],
      'e2e/cold-start': ['answers 200 different cold reads at once: no failure, one sign-in before the first command'],
      'worker/lifecycle': ['is one for a thousand cold requests, with one sign-in and one journal entry'],
    },
  },
  {
    id: 'S2',
    fault: 'the connection is reset under a read',
    holds: 'sent again once, on a new session; the caller sees 200',
    shownBy: {
      'integration/session/session-loss': [
        'a read whose connection breaks (${kind}) is sent again once, on one new session',
        'a read is sent again once only',
      ],
    },
  },
  {
    id: 'S3',
    fault: 'the connection is reset under a write',
    holds: 'never sent again; 202 with the way to its fate; its key stays reserved',
    codes: ['outcome_unknown'],
    shownBy: {
      'integration/session/session-loss': ['a mutation whose connection breaks (${kind}) is never sent again'],
      'integration/writes/trading-outcomes': [
        'an order lost by ${loss.fault.kind} is unknown, then found out, and never sent again',
        'a balance operation lost by ${loss.fault.kind} ends as the books say',
      ],
    },
  },
  {
    id: 'S4',
    fault: 'the server ends sessions that are silent',
    holds: 'a ping prevents it; where it happens, the next call signs in once',
    shownBy: {
      'integration/session/session-silence': [
        'pings keep a silent session alive beyond the idle time of the server',
        'a session that the server closed in silence is noticed, and the next call signs in once',
      ],
      'unit/session/session-pool': ['a silent session is pinged every 20 seconds'],
    },
  },
  {
    id: 'S5',
    fault: 'one ping fails',
    holds: 'the session stays, pings go on',
    shownBy: { 'integration/session/session-silence': ['one ping that fails with an answer does not end the session'] },
  },
  {
    id: 'S6',
    fault: 'the peer vanishes without a FIN',
    holds: 'found by an unanswered ping; requests end within their deadline',
    codes: ['deadline_exceeded'],
    shownBy: {
      'integration/session/session-silence': [
        'a peer that vanished is found by an unanswered ping',
        'an answer that never comes releases its caller at the deadline, and the session at its limit',
      ],
    },
  },
  {
    id: 'S7',
    fault: 'a wrong password',
    holds: 'said in plain words; tried again ever more seldom, with a most per minute and hour',
    codes: ['sign_in_refused', 'sign_in_backoff'],
    shownBy: {
      'integration/session/sign-in': [
        'a wrong password is told in plain words at once, and never becomes a sign-in storm',
      ],
      'unit/state/sign-in-permits': [
        'keeps a crash loop that cannot sign in within 5 sign-ins a minute and 30 an hour',
        'backs off 5 s → 2 min when nothing is heard, → 5 min when credentials are refused',
      ],
      'e2e/refused-sign-in': [
        'a wrong password is named by every call and by /readyz, and costs few sign-ins however many ask and crash',
      ],
    },
  },
  {
    id: 'S8',
    fault: 'the server’s proof (`cli_rand_answer`) is wrong',
    holds: 'refused, an alert in the log, nothing sent to it',
    codes: ['sign_in_refused'],
    shownBy: {
      'integration/session/sign-in': [
        'an impostor is told by its proof: nothing is sent to it, and the log raises an alert',
      ],
    },
  },
  {
    id: 'S9',
    fault: '403, retcodes 1012 and 1016: the source address',
    holds: 'the answer names `MT5_PROXY`; no storm of sign-ins',
    codes: ['sign_in_refused'],
    shownBy: {
      'integration/session/sign-in': ['a refused sign-in (${code}) says what to do'],
      'integration/session/session-loss': [
        'a bare 403 about a right keeps the session',
        'a bare 403 of a lost session signs in once and sends a read again',
      ],
    },
  },
  {
    id: 'S10',
    fault: 'another instance takes the session over',
    holds: 'the epoch decides; the one before ends and does not fight',
    shownBy: {
      'unit/state/sign-in-permits': ['raises the epoch once per instance and fences the one before'],
      'integration/writes/drain': ['a process whose session another one on the same file took over ends by itself'],
      'integration/session/session-storm': [
        'where a second sign-in ends the first session, the pool learns to stay at one',
      ],
    },
  },
  {
    id: 'S11',
    fault: 'a cold start on the state of the one before',
    holds: 'one sign-in: a session cannot move to another connection',
    shownBy: {
      'integration/reads/clock-checkpoint': [
        'knows the broker’s clock after a restart before it has asked for it',
        'signs in once after a restart on the state of the one before, however many ask at once',
      ],
      'e2e/cron': ['twenty firings: one start, one sign-in, a session ready; the next read causes neither'],
    },
  },
  {
    id: 'S12',
    fault: 'the state is corrupt, of another version, or of another key',
    holds: 'set aside with a warning; begins empty, trading halted; one field that cannot be read costs that field',
    codes: ['trading_halted'],
    shownBy: {
      'unit/state/state-schema': [
        'sets a file aside that is no database, and says so',
        'sets state of a newer version aside, keeps it, and starts empty',
        'starts empty after: %s',
        'loses one field, not the checkpoint, when one cannot be read',
      ],
      'worker/state': ['state of a newer version is set aside unread'],
    },
  },
  {
    id: 'S13',
    fault: 'the clock jumps by an hour',
    holds: 'pings go on, no session ends, no age is negative',
    shownBy: {
      'integration/session/session-silence': [
        'a clock that jumps by an hour, forward or back, ends no session and makes no age negative',
      ],
      'unit/contract/rate-limit': ['never owes more than a burst, and a clock that goes back gives nothing'],
    },
  },
  {
    id: 'S14',
    fault: 'the broker is in maintenance',
    holds: 'the circuit opens, one call a wait tries it, `Retry-After`; old reference data is given and said to be old',
    codes: ['circuit_open', 'broker_unavailable', 'broker_unreachable'],
    shownBy: {
      'integration/session/circuit': [
        'a broker that fails every call is asked once a wait; everybody else is answered at once; it closes by itself',
      ],
      'unit/contract/breaker': [
        'opens after failures in a row, and lets one call through per wait, each wait twice as long as the one before',
      ],
      'worker/reference-cache': ['stays when the container cannot renew it, and says why'],
      'integration/session/sign-in': [
        'while sign-ins are paused callers are told at once; afterwards the bridge signs in by itself',
      ],
    },
  },
  {
    id: 'S15',
    fault: '`auth/start` answers slowly',
    holds: 'given up at its limit; everybody who waits is released together, and nobody stampedes',
    codes: ['broker_unreachable', 'sign_in_refused'],
    shownBy: {
      'integration/session/sign-in': [
        'a server that answers the handshake too slowly is given up at the step’s limit',
        'everybody who waits is released together when the sign-in fails',
      ],
    },
  },
];
