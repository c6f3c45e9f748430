/** User records and trading accounts as the wire has them. */
import type { AccountState } from '../broker/account.ts';
import type { World } from '../broker/world.ts';
import { decimal } from '../broker/money.ts';
import type { User } from '../broker/records.ts';
import type { Json } from '../command.ts';
import type { Switches } from '../switches.ts';
import { moment, spelling, Texts } from './texts.ts';
import { apiData } from './render-trades.ts';

const userTexts = new Texts<User>();
const accountTexts = new Texts<User>();

export function userText(user: User, world: World, switches: Readonly<Switches>): Json {
  const { books } = world;
  const { balance, credit, balancePrevDay, equityPrevDay } = user;
  const stamp = `${books.revision(user.login)} ${books.configVersion} ${balance} ${credit} ${balancePrevDay} ${equityPrevDay} ${spelling(switches)}`;
  return userTexts.of(user, stamp, () => renderUser(user, world, switches));
}

export function accountText(user: User, world: World): Json {
  return accountTexts.of(user, accountStamp(user, world), () => renderAccount(user, world));
}

/** Prices move only what is held: most accounts of a large book hold nothing. */
function accountStamp(user: User, world: World): string {
  const { positions, configVersion } = world.books;
  if (positions.of(user.login).length > 0) return moment(world);
  return `${configVersion} ${user.balance} ${user.credit} ${user.leverage} ${user.group} ${user.stopOut.activation}`;
}

export function renderUser(user: User, world: World, switches: Readonly<Switches>): object {
  const { currencyDigits } = world.books.groupOf(user);
  const money = (value: number): string => decimal(value, currencyDigits);
  const { fields } = user;
  return {
    Login: user.login,
    Group: user.group,
    CertSerialNumber: fields['CertSerialNumber'],
    Rights: user.rights,
    MQID: fields['MQID'],
    Registration: fields['Registration'],
    LastAccess: fields['LastAccess'],
    LastPassChange: fields['LastPassChange'],
    LastIP: fields['LastIP'],
    Name: fields['Name'],
    FirstName: fields['FirstName'],
    LastName: fields['LastName'],
    MiddleName: fields['MiddleName'],
    Company: fields['Company'],
    Account: fields['Account'],
    Country: fields['Country'],
    Language: fields['Language'],
    ClientID: fields['ClientID'],
    City: fields['City'],
    State: fields['State'],
    ZipCode: fields['ZipCode'],
    Address: fields['Address'],
    Phone: fields['Phone'],
    Email: fields['Email'],
    ID: fields['ID'],
    Status: fields['Status'],
    Comment: fields['Comment'],
    Color: fields['Color'],
    PhonePassword: fields['PhonePassword'],
    Leverage: user.leverage,
    Agent: fields['Agent'],
    LimitOrders: fields['LimitOrders'],
    LimitPositions: fields['LimitPositions'],
    CurrencyDigits: currencyDigits,
    Balance: money(user.balance),
    Credit: money(user.credit),
    InterestRate: fields['InterestRate'],
    CommissionDaily: fields['CommissionDaily'],
    CommissionMonthly: fields['CommissionMonthly'],
    CommissionAgentDaily: fields['CommissionAgentDaily'],
    CommissionAgentMonthly: fields['CommissionAgentMonthly'],
    BalancePrevDay: money(user.balancePrevDay),
    BalancePrevMonth: money(user.balancePrevMonth),
    EquityPrevDay: money(user.equityPrevDay),
    EquityPrevMonth: money(user.equityPrevMonth),
    TradeAccounts: fields['TradeAccounts'],
    LeadSource: fields['LeadSource'],
    LeadCampaign: fields['LeadCampaign'],
    ApiData: apiData(switches),
  };
}

export function renderAccount(user: User, world: World, state: AccountState = world.accounts.state(user)): object {
  const { currencyDigits } = world.books.groupOf(user);
  const money = (value: number): string => decimal(value, currencyDigits);
  const { stopOut } = user;
  return {
    Login: user.login,
    CurrencyDigits: currencyDigits,
    Balance: money(state.balance),
    Credit: money(state.credit),
    Margin: money(state.margin),
    MarginFree: money(state.marginFree),
    MarginLevel: decimal(state.marginLevel, 2),
    MarginLeverage: user.leverage,
    MarginInitial: money(0),
    MarginMaintenance: money(0),
    Profit: money(state.profit),
    Storage: money(state.storage),
    Commission: money(0),
    Floating: money(state.floating),
    Equity: money(state.equity),
    SOActivation: stopOut.activation,
    SOTime: Math.floor(stopOut.timeMs / 1000),
    SOLevel: decimal(stopOut.level, 2),
    SOEquity: money(stopOut.equity),
    SOMargin: money(stopOut.margin),
    Assets: money(state.assets),
    Liabilities: money(state.liabilities),
    BlockedCommission: money(0),
    BlockedProfit: money(0),
  };
}
