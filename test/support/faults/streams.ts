import type { Fault } from './fault.ts';

export const STREAM_FAULTS: readonly Fault[] = [
  {
    id: 'W1',
    fault: 'a client stops reading',
    holds: 'the latest of each symbol, then closed with 4008; the others miss nothing',
    shownBy: {
      'integration/stream/stream-flow': [
        'is told and closed with 4008; the others miss nothing, and little is kept for it',
        'gets the latest of each symbol when it reads again, and every deal',
      ],
      'worker/stream-hub': [
        'closes a client that is sent much and shows no sign of reading, keeps one that pings, and says so at first',
      ],
    },
  },
  {
    id: 'W2',
    fault: 'a client is away and resumes with its last `seq`',
    holds: 'nothing missing, nothing twice',
    shownBy: {
      'integration/stream/stream': ['are resumed after a disconnection: nothing is missing, nothing comes twice'],
      'worker/stream-hub': ['resumes a client that was away: all that it missed, once, and no gap'],
      'unit/stream/stream-model': ['every discontinuity is declared, and in the end every client knows the truth'],
    },
  },
  {
    id: 'W3',
    fault: 'a client resumes what is older than the buffer',
    holds: '`gap`, what was missed of deals and orders, `snapshot`',
    shownBy: {
      'integration/stream/stream-client': ['what cannot be resumed is a gap, then a snapshot'],
      'unit/stream/stream-missed': [
        'after the source was replaced: gap since when, what was missed, snapshot; nothing that was told before',
      ],
    },
  },
  {
    id: 'W4',
    fault: 'ticks stop while the socket lives',
    holds: '`stale` within the stated limit, `live` when they are back',
    shownBy: {
      'integration/stream/stream': [
        'that stop while the socket lives are stale after the stated limit, and live when they are back',
      ],
      'unit/service/feeds/stream-poller': [
        'that stop are stale after 15 s inside the hours, and never outside of them',
      ],
    },
  },
  {
    id: 'W5',
    fault: '10,000 subscriptions come and go',
    holds: 'nothing is left behind, and the broker is not asked any more',
    shownBy: {
      'integration/stream/stream-flow': ['subscribing and leaving 10,000 times leaves nothing behind'],
      'unit/service/feeds/stream-poller': [
        'are asked for fast under change, slower in silence, and not at all without subscribers',
      ],
    },
  },
  {
    id: 'W6',
    fault: 'hostile frames: too long, no UTF-8, unmasked, in bytes, floods, unknown operations',
    holds: 'an `error` frame, or closed with 1002, 1003, 1007, 1008 or 1009; the server goes on',
    codes: ['invalid_field'],
    shownBy: {
      'integration/stream/stream-flow': [
        '%s closes with %d, and the server goes on',
        'a message in fragments of one byte is read',
      ],
    },
  },
  {
    id: 'W7',
    fault: 'a key is revoked or narrowed while it is connected',
    holds: 'closed with 4001 within 5 s',
    shownBy: {
      'integration/stream/stream': [
        'a trader sees only the own login, and is closed with 4001 within 5 s of the revocation',
      ],
      'integration/api-keys': ['a key is made, used, narrowed and revoked; what it opened ends'],
      'worker/stream-hub': ['closes the streams of a session that was revoked'],
    },
  },
  {
    id: 'W8',
    fault: 'ticks that come twice or out of order (`trans_id`)',
    holds: 'dropped and counted',
    shownBy: {
      'unit/service/feeds/stream-poller': [
        'that are duplicates or older than the last are dropped and counted',
        'survive a server that restarts its counter',
      ],
    },
  },
  {
    id: 'W9',
    fault: 'a restart under 100 clients',
    holds: 'all go on; clients come back spread: at most a fifth in any 100 ms',
    shownBy: {
      'unit/client/reconnect-spread': [
        'of a hundred clients that are lost together at most 20 come back in any 100 ms',
      ],
      'e2e/stream': [
        'keeps 100 clients connected while the container is killed under them, and tells them what happened',
      ],
      'integration/stream/stream-restart': [
        'a client gets every deal once, over a restart of the bridge while others trade on',
      ],
    },
  },
  {
    id: 'W10',
    fault: 'server-sent events: `Last-Event-ID`, buffering proxies, silence',
    holds: 'the same frames, resumed; beats as comments, and a header that forbids buffering',
    shownBy: {
      'integration/stream/stream': ['carry the same frames and resume by Last-Event-ID'],
      'worker/stream-hub': ['speaks server-sent events too'],
    },
  },
];
