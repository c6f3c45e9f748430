import type { Fault } from './fault.ts';

/** `A3`, signatures of requests by HMAC, is left out: keys are bearer secrets over TLS, there is nothing to sign with. */
export const ACCESS_FAULTS: readonly Fault[] = [
  {
    id: 'A1',
    fault: 'a key that is absent, empty, wrong, doubled, or in the URL',
    holds: '401 with the same words; compared by hash',
    codes: ['unauthenticated'],
    shownBy: {
      'worker/door': ['$name: $status $code'],
      'integration/refusals': ['as at the door: $name: $status $code'],
      'integration/bridge-first-light': [
        'without a key, with a wrong one, and with one of too small a scope nothing reaches the broker',
      ],
    },
  },
  {
    id: 'A2',
    fault: 'a key that is bound to some logins asks for another: every route, batch, stream, raw command, group mask',
    holds: 'refused or not found, everywhere',
    codes: ['login_not_allowed', 'object_not_found'],
    shownBy: {
      'integration/access-matrix': ['every operation × every kind of caller, on a VPS'],
      'e2e/access-matrix': ['every operation × every kind of caller, through the door'],
      'unit/contract/passthrough-admission': [
        'fails closed: %s ?%s %s',
        'no body that names another login, in whatever spelling, passes',
      ],
    },
  },
  {
    id: 'A4',
    fault: 'a made-up `X-Forwarded-For`; the container called without its Worker',
    holds: 'only what the Worker or a trusted proxy says counts; nobody else is served',
    codes: ['address_not_allowed', 'unauthenticated'],
    shownBy: {
      'integration/api-keys': ['a trusted proxy names the client'],
      'worker/door': [
        'carries the caller, the deadline and the trace, and nothing that a caller made up or should keep',
      ],
      'integration/behind-the-door': ['nobody but the door is served, and nothing signs in before the hand-over'],
    },
  },
  {
    id: 'A5',
    fault: 'planted secrets',
    holds: 'in no log, metric, audit, event, error or answer',
    shownBy: {
      'integration/planted-secrets': ['planted passwords, keys and tokens are in no log line, error or answer'],
      'unit/outbox/outbox': ['what was asked leaves without passwords, whichever way it came'],
      'unit/host/log': ['known secrets are cut out of every text, stack and cause'],
      'e2e/brokers': ['no password is told anywhere'],
    },
  },
  {
    id: 'A6',
    fault: 'a start with a secret that is missing, or that of an example',
    holds: 'refuses, naming the variable',
    shownBy: {
      'unit/host/config': [
        'nothing has a default that would reach a broker, and every fault is told at once by name',
        'placeholders are no passwords',
      ],
      'integration/container-process': [
        'a bad configuration ends the process with every fault named, and no secret shown',
      ],
      'e2e/deploying': ['deploy names every missing secret and every value that is wrong, and changes nothing'],
    },
  },
  {
    id: 'A7',
    fault: 'passwords in a URL',
    holds: 'no route takes one; queries stand in no log',
    shownBy: {
      'unit/contract/secrets-in-urls': [
        'no route takes a password, key or token in its path or query',
        'those that take a password take it in the body of a POST, PUT or PATCH',
      ],
      'integration/http-contract': ['the log has one line a request, without the query'],
    },
  },
  {
    id: 'A8',
    fault: 'what is shipped: packages, image',
    holds: 'every package locked by its hash, named install scripts only, an image without root',
    shownBy: {
      'unit/supply': [
        'every package is locked by its hash, and those whose scripts run are named',
        'dependencies are exact versions',
        'the image runs without root, from one bundled file, and holds nothing that is not named',
      ],
    },
  },
];
