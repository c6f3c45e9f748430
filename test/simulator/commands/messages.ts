/** Mail, news and push notices. */
import { compileMask } from '../broker/masks.ts';
import type { User } from '../broker/records.ts';
import { done, refused, type Command, type CommandReply, type CommandRequest } from '../command.ts';
import { numbersOf, RETCODE, seesGroup } from './scope.ts';

const MAIL_CHARACTERS = 8192;
const NOTICE_CHARACTERS = 1024;
const SUBJECT_CHARACTERS = 127;

const textOf = (request: CommandRequest): string =>
  typeof request.body === 'string' ? request.body : (request.parameters.text('text') ?? '');

/** Clients named by a list of logins, ranges `1001-1010` and group masks. */
function recipients(request: CommandRequest, to: string): User[] {
  const items = to.split(',').map((item) => item.trim());
  const masks = items.filter((item) => !/^\d+(?:-\d+)?$/u.test(item));
  const matches = compileMask(masks.join(','));
  const ranges = items.flatMap((item) => {
    const [from, until] = /^(\d+)(?:-(\d+))?$/u.exec(item)?.slice(1) ?? [];
    return from === undefined ? [] : [[Number(from), Number(until ?? from)] as const];
  });
  return [...request.broker.world.books.users.values()].filter(
    ({ login, group }) =>
      seesGroup(request.manager, group) &&
      (matches(group) || ranges.some(([from, until]) => login >= from && login <= until)),
  );
}

function sendMail(request: CommandRequest): CommandReply {
  const to = request.parameters.text('to') ?? '';
  const subject = request.parameters.text('subject') ?? '';
  const body = textOf(request);
  if (to === '' || subject === '' || subject.length > SUBJECT_CHARACTERS || body.length > MAIL_CHARACTERS)
    return refused(RETCODE.params);
  const users = recipients(request, to);
  if (users.length === 0) return refused(RETCODE.notFound);
  const { post } = request.broker.world;
  post.keep(post.mails, {
    id: post.nextId(),
    timeMs: request.broker.time.serverMs(),
    from: request.parameters.text('from_name') ?? '',
    fromLogin: request.manager.login,
    to: users.map(({ login }) => login),
    subject,
    body,
  });
  request.broker.mutations += 1;
  return done();
}

function sendNews(request: CommandRequest): CommandReply {
  const subject = request.parameters.text('subject') ?? '';
  const language = request.parameters.integer('language') ?? 0;
  const priority = request.parameters.integer('priority') ?? 0;
  if (subject === '' || Number.isNaN(language) || Number.isNaN(priority)) return refused(RETCODE.params);
  const { post } = request.broker.world;
  const category = request.parameters.text('category') ?? '';
  post.keep(post.news, {
    id: post.nextId(),
    timeMs: request.broker.time.serverMs(),
    subject,
    category,
    language,
    priority,
    body: textOf(request),
  });
  request.broker.mutations += 1;
  return done();
}

/** A push notice to logins or MetaQuotes identifiers; the answer lists the logins that have one. */
function sendNotice(request: CommandRequest): CommandReply {
  const text = textOf(request);
  const list = request.parameters.text('login');
  const ids = request.parameters.text('mq_id', 'MQID');
  if (text === '' || text.length > NOTICE_CHARACTERS || (list === undefined && ids === undefined))
    return refused(RETCODE.params);
  const numbers = list === undefined ? [] : numbersOf(list);
  if (numbers === undefined) return refused(RETCODE.params);
  const names = (ids ?? '').split(',').filter((id) => id !== '');
  const { books, post } = request.broker.world;
  const logins = [...books.users.values()]
    .filter(({ group, fields }) => seesGroup(request.manager, group) && fields['MQID'] !== '')
    .filter(({ login, fields }) => numbers.includes(login) || names.includes(fields['MQID'] ?? ''))
    .map(({ login }) => login);
  if (logins.length === 0) return refused(RETCODE.notFound);
  post.keep(post.notices, { timeMs: request.broker.time.serverMs(), logins, text });
  request.broker.mutations += 1;
  return done(logins);
}

/** The item of a list that `id` names, or that at `index`. */
function itemOf<T extends { readonly id: number }>(request: CommandRequest, list: readonly T[]): T | undefined {
  const id = request.parameters.integer('id', 'ID');
  const index = request.parameters.integer('index') ?? Number.NaN;
  return id === undefined ? list[index] : list.find((item) => item.id === id);
}

function getOf<T extends { readonly id: number }>(
  list: (request: CommandRequest) => readonly T[],
  render: (item: T) => unknown,
): Command['run'] {
  return (request) => {
    if (request.parameters.text('id', 'ID') === undefined && request.parameters.text('index') === undefined)
      return refused(RETCODE.params);
    const item = itemOf(request, list(request));
    return item === undefined ? refused(RETCODE.notFound) : done(render(item));
  };
}

const mails = ({ broker }: CommandRequest) => broker.world.post.mails;
const news = ({ broker }: CommandRequest) => broker.world.post.news;
const seconds = (ms: number): number => Math.floor(ms / 1000);

export const messageCommands: readonly Command[] = [
  { path: 'mail/send', rights: ['RIGHT_EMAIL'], run: sendMail, mutates: true, textBody: true },
  {
    path: 'mail/total',
    rights: ['RIGHT_EMAIL'],
    run: (request) => ({ retcode: 0, scalars: { Total: mails(request).length } }),
  },
  {
    path: 'mail/get',
    rights: ['RIGHT_EMAIL'],
    run: getOf(mails, (mail) => ({
      ID: mail.id,
      Subject: mail.subject,
      From: mail.fromLogin,
      FromName: mail.from,
      To: mail.to.join(','),
      Time: seconds(mail.timeMs),
    })),
  },
  { path: 'mail/get_body', rights: ['RIGHT_EMAIL'], run: getOf(mails, (mail) => ({ ID: mail.id, Body: mail.body })) },
  { path: 'news/send', rights: ['RIGHT_NEWS'], run: sendNews, mutates: true, textBody: true },
  {
    path: 'news/total',
    rights: ['RIGHT_NEWS'],
    run: (request) => ({ retcode: 0, scalars: { Total: news(request).length } }),
  },
  {
    path: 'news/get',
    rights: ['RIGHT_NEWS'],
    run: getOf(news, (item) => ({
      ID: item.id,
      Subject: item.subject,
      Category: item.category,
      Language: item.language,
      Priority: item.priority,
      Time: seconds(item.timeMs),
    })),
  },
  { path: 'news/get_body', rights: ['RIGHT_NEWS'], run: getOf(news, (item) => ({ ID: item.id, Body: item.body })) },
  { path: 'notification/send', rights: ['RIGHT_NOTIFICATIONS'], run: sendNotice, mutates: true },
];
