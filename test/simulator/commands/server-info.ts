/** The server about itself: time, licence, totals. */
import { formatServerTime, daylightActive, type DaylightRule } from '../broker/calendar.ts';
import { done, refused, type Command, type CommandReply, type CommandRequest } from '../command.ts';
import { flatRecord } from './records-in.ts';
import { RETCODE } from './scope.ts';

function timeServer({ broker }: CommandRequest): CommandReply {
  const seconds = broker.time.serverSeconds();
  return { retcode: 0, scalars: { Time: `${seconds} ${formatServerTime(seconds * 1000)}` } };
}

/** `TimeZone` is the zone without daylight saving, in minutes; `DaylightState` says whether an hour comes on top. */
function timeAnswer({ broker }: CommandRequest): CommandReply {
  const { zone } = broker.time;
  return done({
    Daylight: zone.daylight === 'none' ? 0 : 1,
    DaylightState: daylightActive(broker.time.utcMs(), zone.daylight) ? 1 : 0,
    TimeZone: zone.offsetMinutes,
    TimeServer: 'pool.ntp.org',
    Days: Array.from({ length: 7 }, () => '1'.repeat(24)),
  });
}

function timeSet(request: CommandRequest): CommandReply {
  const record = flatRecord(request.body, ['Days']) ?? {};
  const zone = Number(
    record['TimeZone'] ?? request.parameters.text('time_zone') ?? request.broker.time.zone.offsetMinutes,
  );
  const daylight = record['Daylight'] ?? request.parameters.text('daylight');
  if (!Number.isSafeInteger(zone) || Math.abs(zone) > 840) return refused(RETCODE.params);
  if (daylight !== undefined && daylight !== '0' && daylight !== '1') return refused(RETCODE.params);
  const { time } = request.broker;
  const on: DaylightRule = time.zone.daylight === 'none' ? 'us' : time.zone.daylight;
  time.zone = {
    offsetMinutes: zone,
    daylight: daylight === undefined ? time.zone.daylight : daylight === '1' ? on : 'none',
  };
  request.broker.mutations += 1;
  return timeAnswer(request);
}

function common({ broker }: CommandRequest): CommandReply {
  const { books } = broker.world;
  const real = [...books.users.values()].filter(({ group }) => group.startsWith('real\\')).length;
  return done({
    Name: 'SimulatedMarkets-Server',
    NameFull: 'Simulated Markets Ltd. MetaTrader 5 simulator',
    Owner: 'Simulated Markets Ltd.',
    OwnerID: 'SIM',
    OwnerHost: 'broker.example',
    OwnerEmail: 'desk@broker.example',
    Product: 'MetaTrader 5 Simulator',
    ExpirationLicense: 0,
    ExpirationSupport: 0,
    LimitTradeServers: 1,
    LimitWebServers: 1,
    LimitAccounts: 1_000_000,
    LimitDeals: 0,
    LimitSymbols: 0,
    LimitGroups: 0,
    LiveUpdateMode: 0,
    TotalUsers: books.users.size,
    TotalUsersReal: real,
    TotalDeals: books.deals.size,
    TotalOrders: books.orders.size,
    TotalOrdersHistory: books.history.size,
    TotalPositions: books.positions.size,
    AccountURL: 'https://broker.example/account',
    AccountAuto: 0,
  });
}

export const serverInfoCommands: readonly Command[] = [
  { path: 'time/server', rights: [], run: timeServer },
  { path: 'time/get', rights: [], run: timeAnswer },
  { path: 'time/set', rights: ['RIGHT_ADMIN', 'RIGHT_CFG_TIME'], run: timeSet, mutates: true },
  { path: 'common/get', rights: [], run: common },
  // The licence of a server is not a manager's to change.
  { path: 'common/set', rights: [], run: () => refused(RETCODE.permissions) },
];
