import { z } from 'zod';
import { FarmError } from './farm-error.ts';

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

/** Files of PEM text, by path, and the name that the servers' certificates bear where it is not their host's. */
export interface RedisTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

/** Who is asked for a name and a password. */
export interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
}

/** Where a farm's Redis is. Each kind of it is one form of URL. */
export interface RedisAddress extends RedisLogin {
  /**
   * - `single`: one server, or what looks like one.
   * - `sentinel`: `hosts` are sentinels, which know the master of `masterName`.
   * - `cluster`: `hosts` are some of its nodes, which know the others.
   */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** Undefined where nothing is encrypted; of sentinels as of servers. */
  readonly tls: RedisTls | undefined;
  readonly hosts: readonly RedisHost[];
  readonly masterName: string | undefined;
  readonly database: number;
  /** Sentinels have passwords of their own. */
  readonly sentinelLogin: RedisLogin;
}

const FORMS =
  'redis://, rediss://, redis+sentinel://, rediss+sentinel://, redis+cluster:// or rediss+cluster://';
const FORM = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/;
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;
/** Redis has 16 databases unless its `databases` says otherwise. */
const MAX_DATABASE = 65_535;

const TLS_PARAMETERS = ['ca', 'cert', 'key', 'servername'] as const;
const SENTINEL_PARAMETERS = ['sentinelUsername', 'sentinelPassword'] as const;

/**
 * Reads an address: `redis[s]://[user:password@]host:port[/database]`,
 * `redis[s]+sentinel://[user:password@]host:port,host:port/master-name[/database]`, or
 * `redis[s]+cluster://[user:password@]host:port,host:port`; with TLS `?ca=…&cert=…&key=…&servername=…`.
 *
 * @throws FarmError `invalid_argument` saying what is wrong; it repeats nothing of the address, where a password may
 * be anywhere.
 */
export function parseRedisAddress(text: string): RedisAddress {
  const [, scheme, suffix, authority = '', path = '', query = ''] = FORM.exec(text) ?? [];
  if (scheme === undefined) throw broken(`must be a URL that begins with ${FORMS}, and has no # in it`);
  const kind = suffix === 'sentinel' || suffix === 'cluster' ? suffix : 'single';
  const at = authority.lastIndexOf('@');
  const login = parseLogin(at === -1 ? '' : authority.slice(0, at));
  const parameters = parseParameters(query, kind, scheme === 'rediss');
  const [first, second, ...more] = path.split('/').slice(1).map(decode('path'));
  const [masterName, database] = kind === 'sentinel' ? [first, second] : [undefined, first];
  if (more.length > 0 || (kind !== 'sentinel' && second !== undefined)) throw broken('has too long a path');
  if (kind === 'sentinel' && !masterName) {
    throw broken("must name the sentinels' master after its hosts: redis+sentinel://host:26379/master-name");
  }
  return {
    kind,
    ...login,
    hosts: parseHosts(authority.slice(at + 1), kind),
    masterName: masterName || undefined,
    database: parseDatabase(database, kind),
    tls: scheme === 'rediss' ? pick(parameters, TLS_PARAMETERS) : undefined,
    sentinelLogin: {
      ...(parameters.sentinelUsername && { username: parameters.sentinelUsername }),
      ...(parameters.sentinelPassword && { password: parameters.sentinelPassword }),
    },
  };
}

/** An address in options and in the environment; it stays a string, and is read again where it is used. */
export const redisAddressSchema = z.string().check((context) => {
  try {
    parseRedisAddress(context.value);
  } catch (thrown) {
    // Without `input`, which zod would print.
    const message = FarmError.from(thrown).detail;
    context.issues.push({ code: 'custom', message, input: undefined });
  }
});

/** An address fit for messages and logs; of one that cannot be read nothing but its scheme is left. */
export function hidePassword(address: string): string {
  if (!redisAddressSchema.safeParse(address).success) {
    return `${/^[a-z]{1,8}(\+[a-z]{1,8})?:\/\//.exec(address)?.[0] ?? ''}***`;
  }
  return address
    .replace(/^([a-z+]+:\/\/[^:/?#]*):[^/?#]*@/, '$1:***@')
    .replace(/([?&]sentinelPassword=)[^&]*/, '$1***');
}

function parseLogin(userinfo: string): RedisLogin {
  const colon = userinfo.indexOf(':');
  const username = decode('user name')(colon === -1 ? userinfo : userinfo.slice(0, colon));
  const password = colon === -1 ? '' : decode('password')(userinfo.slice(colon + 1));
  if (username !== '' && password === '') throw broken('names a user and has no password: user:password@');
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) };
}

function parseHosts(list: string, kind: RedisAddress['kind']): RedisHost[] {
  const names = list.split(',');
  if (kind === 'single') {
    if (names.length > 1) throw broken('has several hosts: only +sentinel and +cluster take them');
    // `redis://` alone is the Redis of this machine.
    if (/^(:\d+)?$/.test(list)) names[0] = `127.0.0.1${list}`;
  }
  return names.map((name, index) => parseHost(name, index, kind === 'sentinel' ? SENTINEL_PORT : REDIS_PORT));
}

function parseHost(name: string, index: number, defaultPort: number): RedisHost {
  const [, bracketed, plain, digits] = /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(name) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw broken(
    `must have host:port as host ${index + 1}, with a port from 1 to 65535; in a user name or password ` +
      '/ ? # @ : and % are written as %2F %3F %23 %40 %3A and %25',
  );
}

function parseDatabase(text: string | undefined, kind: RedisAddress['kind']): number {
  if (text === undefined || text === '') return 0;
  const database = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (kind === 'cluster' && database !== 0) throw broken('must have no path: a Cluster has no databases');
  if (database <= MAX_DATABASE) return database;
  throw broken(`must have as its database a whole number from 0 to ${MAX_DATABASE}`);
}

type Parameter = (typeof TLS_PARAMETERS)[number] | (typeof SENTINEL_PARAMETERS)[number];

function parseParameters(
  query: string,
  kind: RedisAddress['kind'],
  isTls: boolean,
): { [name in Parameter]?: string } {
  const known: readonly string[] = [
    ...(isTls ? TLS_PARAMETERS : []),
    ...(kind === 'sentinel' ? SENTINEL_PARAMETERS : []),
  ];
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [index, pair] of query.split('&').entries()) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, equals));
    // Not named: it may be the rest of a password with an & in it.
    if (!known.includes(name)) {
      const allowed = known.length === 0 ? 'none' : known.join(', ');
      const why = isTls ? '' : '; ca, cert, key and servername are for rediss://';
      throw broken(`has an unknown parameter as number ${index + 1}, it takes: ${allowed}${why}`);
    }
    if (name in found) throw broken(`has the parameter ${name} twice`);
    found[name] = decode(name)(pair.slice(equals + 1));
  }
  if ((found['cert'] === undefined) !== (found['key'] === undefined)) {
    throw broken('must have both cert and key, or neither');
  }
  return found;
}

function pick(parameters: { [name in Parameter]?: string }, names: readonly Parameter[]): RedisTls {
  return Object.fromEntries(names.flatMap((name) => (parameters[name] ? [[name, parameters[name]]] : [])));
}

function decode(what: string): (text: string) => string {
  return (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      throw broken(`has a % in its ${what} that begins no %XX; write it as %25`);
    }
  };
}

function broken(fault: string): FarmError {
  return new FarmError('invalid_argument', `redis ${fault}`);
}
