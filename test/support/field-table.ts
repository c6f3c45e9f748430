/**
 * Every structure of the Web API, field by field: where the names come from (mt5-webapi), what the simulator sends, and
 * what the bridge gives a type and a name of its own. Held against both by test/integration/simulator/fields.test.ts.
 */
interface Structure {
  readonly path: string;
  readonly source: string;
  /** Sent, and typed. */
  readonly typed: string;
  /** Sent, and passed on under `extra` by its wire name. */
  readonly extra: string;
  /** Typed, and not sent by default: other names of the same, of other builds. */
  readonly otherwise: string;
  /** Never shown. */
  readonly secret: string;
}

export const STRUCTURES = {
  user: {
    source: '§3.3: official PHP class, documents',
    path: 'user/get',
    typed: `
      Login Group CertSerialNumber Rights MQID Registration LastAccess LastPassChange LastIP Name
      FirstName LastName MiddleName Company Account Country Language ClientID City State ZipCode Address
      Phone Email ID Status Comment Color Leverage Agent LimitOrders LimitPositions CurrencyDigits Balance
      Credit InterestRate CommissionDaily CommissionMonthly CommissionAgentDaily CommissionAgentMonthly
      BalancePrevDay BalancePrevMonth EquityPrevDay EquityPrevMonth TradeAccounts LeadSource LeadCampaign
      ApiData`,
    extra: ``,
    otherwise: ``,
    secret: `
      PhonePassword PassMain PassInvestor OTPSecret`,
  },
  money: {
    source: '§3.3: official PHP class, documents',
    path: 'user/account/get',
    typed: `
      Login CurrencyDigits Balance Credit Margin MarginFree MarginLevel MarginLeverage MarginInitial
      MarginMaintenance Profit Storage Commission Floating Equity SOActivation SOTime SOLevel SOEquity
      SOMargin Assets Liabilities BlockedCommission BlockedProfit`,
    extra: ``,
    otherwise: ``,
    secret: ``,
  },
  group: {
    source: '§3.2: official PHP class',
    path: 'group/get',
    typed: `
      Group Server PermissionsFlags AuthPasswordMin Company CompanyPage CompanyEmail Currency
      CurrencyDigits TradeFlags TradeInterestrate TradeVirtualCredit MarginMode MarginSOMode
      MarginFreeMode MarginCall MarginStopOut DemoLeverage DemoDeposit LimitHistory LimitOrders
      LimitSymbols LimitPositions Commissions Symbols`,
    extra: `
      AuthMode AuthOTPMode CompanySupportPage CompanySupportEmail CompanyCatalog CompanyDepositURL
      CompanyWithdrawalURL ReportsMode ReportsFlags ReportsEmail ReportsSMTP NewsMode NewsCategory
      NewsLangs MailMode TradeTransferMode MarginFreeProfitMode DemoInactivityPeriod DemoTradesClean`,
    otherwise: ``,
    secret: `
      ReportsSMTPPass ReportsSMTPLogin`,
  },
  dailyReport: {
    source: '§3.8: documents',
    path: 'daily/get',
    typed: `
      Timestamp Datetime DatetimePrev Login Name Group Currency CurrencyDigits Company EMail Balance
      Credit ProfitEquity Margin MarginFree MarginLevel Profit ProfitStorage Orders Positions
      InterestRate CommissionDaily CommissionMonthly AgentDaily AgentMonthly BalancePrevDay
      BalancePrevMonth EquityPrevDay EquityPrevMonth MarginLeverage ProfitAssets ProfitLiabilities
      DailyProfit DailyBalance DailyCredit DailyCharge DailyCorrection DailyBonus DailyStorage
      DailyCommInstant DailyCommFee DailyCommRound DailyAgent DailyInterest DailyDividend DailyTaxes
      DailySOCompensation`,
    extra: ``,
    otherwise: `
      Email Equity Storage Commission DailySOCompensationCredit`,
    secret: ``,
  },
  symbol: {
    source: '§3.2: official PHP class, official structures, five clients; OptionMode §8, 17',
    path: 'symbol/get',
    typed: `
      Symbol Path ISIN Description International Category Exchange Country Basis CurrencyBase
      CurrencyProfit CurrencyMargin Digits Point TickBookDepth TickChartMode TradeMode CalcMode ExecMode
      GTCMode FillFlags ExpirFlags OrderFlags Spread SpreadBalance SpreadDiff SpreadDiffBalance TickValue
      TickSize ContractSize StopsLevel FreezeLevel QuotesTimeout VolumeMin VolumeMinExt VolumeMax
      VolumeMaxExt VolumeStep VolumeStepExt VolumeLimit VolumeLimitExt MarginFlags MarginInitial
      MarginMaintenance MarginInitialBuy MarginInitialSell MarginInitialBuyLimit MarginInitialSellLimit
      MarginInitialBuyStop MarginInitialSellStop MarginInitialBuyStopLimit MarginInitialSellStopLimit
      MarginMaintenanceBuy MarginMaintenanceSell MarginMaintenanceBuyLimit MarginMaintenanceSellLimit
      MarginMaintenanceBuyStop MarginMaintenanceSellStop MarginMaintenanceBuyStopLimit
      MarginMaintenanceSellStopLimit MarginLiquidity MarginHedged MarginCurrency SwapMode SwapLong
      SwapShort Swap3Day SwapYearDays SwapFlags SwapRateSunday SwapRateMonday SwapRateTuesday
      SwapRateWednesday SwapRateThursday SwapRateFriday SwapRateSaturday TimeStart TimeExpiration
      SessionsQuotes SessionsTrades PriceSettle PriceLimitMax PriceLimitMin PriceStrike OptionMode
      FaceValue AccruedInterest`,
    extra: `
      CFI Sector Industry Source Page CurrencyBaseDigits CurrencyProfitDigits CurrencyMarginDigits Color
      ColorBackground Multiply TickFlags FilterSoft FilterSoftTicks FilterHard FilterHardTicks
      FilterDiscard FilterSpreadMax FilterSpreadMin FilterGap FilterGapTicks SubscriptionsDelay TradeFlags
      REFlags RETimeout IECheckMode IETimeout IESlipProfit IESlipLosing IEVolumeMax IEVolumeMaxExt IEFlags
      SpliceType SpliceTimeType SpliceTimeDays`,
    otherwise: `
      MarginRateInitial MarginRateMaintenance MarginRateLiquidity MarginRateCurrency SwapYearDay
      OptionsMode`,
    secret: ``,
  },
  quote: {
    source: '§3.5: documents',
    path: 'tick/last',
    typed: `
      Symbol Digits Datetime DatetimeMsc Bid Ask Last Volume VolumeReal`,
    extra: ``,
    otherwise: ``,
    secret: ``,
  },
  quoteStatistics: {
    source: '§3.5: documents',
    path: 'tick/stat',
    typed: `
      Symbol Digits Datetime DatetimeMsc Bid BidLow BidHigh BidDir Ask AskLow AskHigh AskDir Last LastLow
      LastHigh LastDir Volume VolumeReal TradeDeals TradeVolume TradeVolumeReal TradeTurnover
      TradeInterest TradeBuyOrders TradeBuyVolume TradeSellOrders TradeSellVolume PriceOpen PriceClose
      PriceAw PriceChange PriceVolatility PriceTheoretical`,
    extra: `
      VolumeLow VolumeLowReal VolumeHigh VolumeHighReal VolumeDir TradeBuyVolumeReal TradeSellVolumeReal
      PriceGreeksDelta PriceGreeksTheta PriceGreeksGamma PriceGreeksVega PriceGreeksRho PriceGreeksOmega
      PriceSensitivity`,
    otherwise: ``,
    secret: ``,
  },
  order: {
    source: '§3.6: official PHP class, documents; Orig… §8, 23: one Go client',
    path: 'order/get',
    typed: `
      Order ExternalID Login Dealer Symbol Digits DigitsCurrency ContractSize State Reason TimeSetup
      TimeExpiration TimeDone TimeSetupMsc TimeDoneMsc ModificationFlags Type TypeFill TypeTime PriceOrder
      PriceTrigger PriceCurrent PriceSL PriceTP VolumeInitial VolumeInitialExt VolumeCurrent
      VolumeCurrentExt ExpertID PositionID PositionByID Comment ActivationMode ActivationTime
      ActivationPrice ActivationFlags RateMargin ApiData`,
    extra: `
      OrigTimeSetup`,
    otherwise: `
      ModifyFlags`,
    secret: ``,
  },
  deal: {
    source: '§3.6: official PHP class, documents',
    path: 'deal/get',
    typed: `
      Deal ExternalID Login Dealer Order Action Entry Reason Digits DigitsCurrency ContractSize Time
      TimeMsc Symbol Price PriceSL PriceTP Volume VolumeExt Profit Value Storage Commission Fee RateProfit
      RateMargin ExpertID PositionID Comment ProfitRaw PricePosition VolumeClosed VolumeClosedExt
      TickValue TickSize Flags Gateway PriceGateway MarketBid MarketAsk MarketLast ModificationFlags
      ApiData`,
    extra: ``,
    otherwise: `
      ModifyFlags`,
    secret: ``,
  },
  position: {
    source: '§3.6: official PHP class, documents; Orig… §8, 23: one Go client',
    path: 'position/get_batch',
    typed: `
      Position ExternalID Login Dealer Symbol Action Digits DigitsCurrency Reason ContractSize TimeCreate
      TimeUpdate TimeCreateMsc TimeUpdateMsc ModificationFlags PriceOpen PriceCurrent PriceSL PriceTP
      Volume VolumeExt Profit Storage RateProfit RateMargin ExpertID ExpertPositionID Comment
      ActivationMode ActivationTime ActivationPrice ActivationFlags ApiData`,
    extra: `
      OrigTimeCreate OrigTimeUpdate`,
    otherwise: `
      ModifyFlags`,
    secret: ``,
  },
} as const satisfies Record<string, Structure>;

export const namesIn = (text: string): string[] => text.split(/\s+/).filter((name) => name !== '');
