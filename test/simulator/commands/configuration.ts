/** Configuration of the platform: ordered lists of records that are kept as they were sent (mt5-webapi §3.1). */
import { CONFIGURATION_KEYS, MODULE_KINDS, type ConfigurationKind } from '../broker/record-room.ts';
import { textOf, type WireRecord } from '../broker/symbols.ts';
import { done, refused, type Command, type CommandHandler, type CommandRequest } from '../command.ts';
import { nextOf, reorder, shifted } from './ordered-list.ts';
import { namesOf, wireRecord } from './records-in.ts';
import { RETCODE } from './scope.ts';

const ADMIN = ['RIGHT_ADMIN'] as const;

const listOf = (request: CommandRequest, kind: string): Map<string, WireRecord> =>
  request.broker.world.records.configuration.get(kind) ?? new Map<string, WireRecord>();

/** Administration is no change of the books: deals and accounts stay what they are. */
function kindCommands(kind: ConfigurationKind): Command[] {
  const key = CONFIGURATION_KEYS[kind];
  const parameter = key.toLowerCase();
  const command = (verb: string, run: CommandHandler): Command => ({ path: `${kind}/${verb}`, rights: ADMIN, run });
  return [
    command('total', (request) => ({ retcode: 0, scalars: { Total: listOf(request, kind).size } })),
    command('next', (request) => nextOf(request, [...listOf(request, kind).values()], (record) => record)),
    command('get', (request) => {
      const name = request.parameters.text(parameter, key);
      if (name === undefined || name === '') return refused(RETCODE.params);
      const record = listOf(request, kind).get(name);
      return record === undefined ? refused(RETCODE.notFound) : done(record);
    }),
    command('add', (request) => {
      const given = wireRecord(request.body);
      const name = given === undefined ? '' : textOf(given, key);
      if (given === undefined || name === '') return refused(RETCODE.params);
      const list = listOf(request, kind);
      const record = { ...list.get(name), ...given };
      return request.broker.world.records.keep(list, name, record) ? done(record) : refused(RETCODE.error);
    }),
    command('delete', (request) => {
      const names = namesOf(request, parameter);
      const list = listOf(request, kind);
      if (names === undefined) return refused(RETCODE.params);
      if (names.some((name) => !list.has(name))) return refused(RETCODE.notFound);
      for (const name of names) list.delete(name);
      return done();
    }),
    command('shift', (request) => {
      const list = listOf(request, kind);
      const ordered = shifted(request, list);
      if (!(ordered instanceof Map)) return ordered;
      reorder(list, ordered);
      return done();
    }),
  ];
}

/** The programs behind gateways, feeders, plugins and reports: one for each record that names one. */
function moduleCommands(kind: ConfigurationKind): Command[] {
  const modules = (request: CommandRequest): WireRecord[] => {
    const names = [...listOf(request, kind).values()].map((record) => textOf(record, 'Module'));
    return [...new Set(names)]
      .filter((name) => name !== '')
      .map((Module) => ({ Name: Module, Module, Version: '1.00' }));
  };
  const command = (verb: string, run: CommandHandler): Command => ({
    path: `${kind}/module/${verb}`,
    rights: ADMIN,
    run,
  });
  return [
    command('total', (request) => ({ retcode: 0, scalars: { Total: modules(request).length } })),
    command('next', (request) => nextOf(request, modules(request), (module) => module)),
    command('get', (request) => {
      const name = request.parameters.text('name') ?? request.parameters.text('module');
      if (name === undefined) return refused(RETCODE.params);
      const module = modules(request).find(({ Name }) => Name === name);
      return module === undefined ? refused(RETCODE.notFound) : done(module);
    }),
  ];
}

/** `section` and `key` of a setting; undefined where one is missing. */
function settingKey({ parameters }: CommandRequest): string | undefined {
  const [section, key] = [parameters.text('section'), parameters.text('key')];
  return section === undefined || key === undefined || key === '' ? undefined : `${section}|${key}`;
}

const settings: Readonly<Record<string, CommandHandler>> = {
  get: (request) => {
    const key = settingKey(request);
    if (key === undefined) return refused(RETCODE.params);
    const setting = request.broker.world.records.settings.get(key);
    return setting === undefined ? refused(RETCODE.notFound) : done(setting);
  },
  set: (request) => {
    const key = settingKey(request);
    const value = request.parameters.text('value');
    if (key === undefined || value === undefined) return refused(RETCODE.params);
    const [Section = '', Key = ''] = key.split('|');
    const { records } = request.broker.world;
    return records.keep(records.settings, key, { Section, Key, Value: value }) ? done() : refused(RETCODE.error);
  },
  delete: (request) => {
    const key = settingKey(request);
    if (key === undefined) return refused(RETCODE.params);
    return request.broker.world.records.settings.delete(key) ? done() : refused(RETCODE.notFound);
  },
};

export const configurationCommands: readonly Command[] = [
  ...(Object.keys(CONFIGURATION_KEYS) as ConfigurationKind[]).flatMap(kindCommands),
  ...MODULE_KINDS.flatMap(moduleCommands),
  ...Object.entries(settings).map(([verb, run]): Command => ({ path: `setting/${verb}`, rights: ADMIN, run })),
  // Nobody restarts the simulator from outside, nor reads what it writes on standard error.
  { path: 'server/restart', rights: [], run: () => refused(RETCODE.permissions) },
  { path: 'logger/server_request', rights: ADMIN, run: () => done([]) },
];
