import type { Fault } from './fault.ts';

export const INPUT_FAULTS: readonly Fault[] = [
  {
    id: 'H1',
    fault: 'bodies: truncated, 5 MB, 1000 levels, a name twice, a byte order mark, `__proto__`, gzip',
    holds: 'refused by name; the work that a body causes grows no faster than the body',
    codes: ['malformed_request', 'payload_too_large', 'unsupported_media_type'],
    shownBy: {
      'unit/http/serve-routes': ['with %s are refused by name', 'of unannounced length stop at the limit'],
      'unit/contract/json-body': ['the work that one body can cause', 'is refused: %s'],
    },
  },
  {
    id: 'H2',
    fault: 'logins: 0, -1, 2^53, 2^64, 1e3, other digits, %00',
    holds: 'refused by name',
    codes: ['invalid_field'],
    shownBy: { 'unit/http/serve-routes': ['refuse the login %s'] },
  },
  {
    id: 'H3',
    fault: 'symbols and comments with line breaks, `&` `=` `|` `;` `#` `%`, emoji, 10 kB',
    holds: 'encoded, or refused: no value can end its parameter',
    codes: ['invalid_field'],
    shownBy: {
      'unit/http/upstream-queries': [
        'hold $what as it was written, or nothing is sent',
        'hold masks, lists and quotes as they were written, or nothing is sent',
      ],
      'unit/webapi/webapi-wire': ['no value can end its parameter: every text comes back as it was'],
      'unit/http/serve-routes': ['refuse the symbol %j', 'take the symbol %j'],
    },
  },
  {
    id: 'H4',
    fault: 'passthrough: `../`, `%2e%2e`, `//host`, another URL, `auth/start`, `quit`, upper case, encoded slashes',
    holds: 'never reaches another host or a path that is not in the list',
    codes: ['command_not_passed'],
    shownBy: {
      'unit/contract/passthrough-admission': ['%j is no command', 'only an exact path is a command'],
      'integration/passthrough': ['what cannot be sent as it is, is refused'],
    },
  },
  {
    id: 'H5',
    fault: 'slow heads, slow bodies, idle connections',
    holds: 'ended at their limits; others are served meanwhile',
    shownBy: {
      'integration/http-contract': ['fifty callers who send nothing more do not keep others out'],
      'integration/load-limits': [
        'a head that does not come ends after its ten seconds; a connection kept for later just ends',
        'silent sockets without a key keep nobody out who has one',
      ],
    },
  },
  {
    id: 'H6',
    fault: 'the broker answers HTML, half of a JSON, a redirect, 32 MB, drop by drop, with a wrong length',
    holds: 'a typed problem; not cached; the session judged rightly',
    codes: ['broker_malformed', 'broker_unavailable', 'session_lost'],
    shownBy: {
      'integration/session/session-loss': [
        "an answer that is not the protocol (${fault.kind}) is ${expected}; the session ${keeps ? 'stays' : 'ends'}",
        'an answer that drips is waited for',
      ],
      'integration/reads/typed-switches': ['%s → typed, not cached, and the next read is served'],
    },
  },
  {
    id: 'H7',
    fault: 'smuggled and oversized heads',
    holds: '400, and the connection ends',
    shownBy: { 'integration/passthrough': ['smuggled and oversized heads end the connection'] },
  },
  {
    id: 'H8',
    fault: 'an origin that is not listed; its preflight',
    holds: 'no CORS header; never credentials with `*`',
    shownBy: {
      'worker/door': ['CORS is closed: an unknown origin gets no header, its preflight no leave'],
      'worker/door-variables': ['an origin that is named may read answers and send preflights'],
    },
  },
  {
    id: 'H9',
    fault: 'one key floods while another asks now and then',
    holds: '429 with `RateLimit` for the first; the second waits for its own turn only',
    codes: ['rate_limited', 'overloaded'],
    shownBy: {
      'integration/load-limits': [
        'requests per key are limited as at the door, a batch counts its items, another key is not touched',
        'a key that floods waits for itself: another one’s read is served at its turn',
      ],
      'worker/door-variables': ['a rate limit refuses one key with 429 and leaves the other alone'],
    },
  },
];
