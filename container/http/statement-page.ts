import type { Statement } from '../contract/schemas/account.ts';

type Text = string | number | null;

const escape = (value: Text): string =>
  String(value ?? '').replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0) ?? 0};`);

const day = (instant: string): string => instant.slice(0, 10);
const minute = (instant: string | null): string => (instant ?? '').slice(0, 19).replace('T', ' ');

type Cells = readonly (readonly [text: Text, isNumber?: boolean])[];
const row = (cells: Cells, tag: 'td' | 'th'): string =>
  `<tr>${cells.map(([text, isNumber]) => `<${tag}${isNumber ? ' class="n"' : ''}>${escape(text)}</${tag}>`).join('')}</tr>`;

function table(caption: string, head: Cells, rows: readonly Cells[]): string {
  if (rows.length === 0) return '';
  const body = rows.map((cells) => row(cells, 'td')).join('\n');
  return `<h2>${escape(caption)}</h2><table><thead>${row(head, 'th')}</thead><tbody>\n${body}\n</tbody></table>`;
}

const STYLE = `body{font:12px/1.4 system-ui,sans-serif;color:#111;margin:2rem auto;max-width:60rem;padding:0 1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1rem;margin:1.5rem 0 .3rem}p{margin:.2rem 0;color:#444}
table{border-collapse:collapse;width:100%}th,td{padding:.2rem .4rem;text-align:left;border-bottom:1px solid #ddd}
th{border-bottom:2px solid #111}.n{text-align:right;font-variant-numeric:tabular-nums}tr{break-inside:avoid}
thead{display:table-header-group}@media print{body{margin:0;max-width:none}}`;

/** A statement as a page of its own, to read and to print. */
export function statementPage(statement: Statement): string {
  const { login, name, group, currency, leverage, totals, items, positions, orders } = statement;
  const n = (text: Text): readonly [Text, boolean] => [text, true];
  const sums: Cells[] = [
    [['Opening balance'], n(statement.openingBalance)],
    ...(['deposits', 'withdrawals', 'profit', 'storage', 'commission', 'fee', 'other'] as const).map((one): Cells => [
      [one.charAt(0).toUpperCase() + one.slice(1)],
      n(totals[one]),
    ]),
    [['Closing balance'], n(statement.closingBalance)],
    [['Credit'], n(totals.credit)],
  ];
  const deals = items.map((deal): Cells => [
    [minute(deal.executedAt)],
    [deal.ticket],
    [deal.action],
    [deal.entry],
    [deal.symbol],
    n(deal.volume),
    n(deal.price),
    n(deal.commission),
    n(deal.storage),
    n(deal.profit),
    [deal.comment],
  ]);
  const open = positions.map((held): Cells => [
    [minute(held.createdAt)],
    [held.ticket],
    [held.side],
    [held.symbol],
    n(held.volume),
    n(held.priceOpen),
    n(held.priceCurrent),
    n(held.storage),
    n(held.profit),
  ]);
  const pending = orders.map((order): Cells => [
    [minute(order.setupAt)],
    [order.ticket],
    [order.side],
    [order.type],
    [order.symbol],
    n(order.volumeCurrent),
    n(order.price),
  ]);
  const title = `Statement ${login}, ${day(statement.from)} to ${day(statement.to)}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title><style>${STYLE}</style></head><body>
<h1>${escape(title)}</h1>
<p>${escape(name)} · ${escape(group)} · ${escape(currency)} · 1:${escape(leverage)}</p>
<p>${escape(minute(statement.from))} to ${escape(minute(statement.to))} UTC</p>
${table('Summary', [[''], [currency ?? 'Amount', true]], sums)}
${table('Deals', [['Time (UTC)'], ['Deal'], ['Action'], ['Entry'], ['Symbol'], ['Volume', true], ['Price', true], ['Commission', true], ['Swap', true], ['Profit', true], ['Comment']], deals)}
${table('Open positions', [['Opened (UTC)'], ['Position'], ['Side'], ['Symbol'], ['Volume', true], ['Price', true], ['Now', true], ['Swap', true], ['Profit', true]], open)}
${table('Open orders', [['Placed (UTC)'], ['Order'], ['Side'], ['Type'], ['Symbol'], ['Volume', true], ['Price', true]], pending)}
</body></html>
`;
}
