import { describe, expect, it } from 'vitest';
import { hidePassword, parseRedisAddress, redisAddressSchema } from './redis-address.ts';

describe('an address of a Redis', () => {
  it.each([
    ['redis://', { kind: 'single', hosts: [{ host: '127.0.0.1', port: 6379 }], database: 0, tls: undefined }],
    ['redis://:7000', { hosts: [{ host: '127.0.0.1', port: 7000 }] }],
    ['redis://farm.example:7000/2', { hosts: [{ host: 'farm.example', port: 7000 }], database: 2 }],
    ['redis://[::1]:7000', { hosts: [{ host: '::1', port: 7000 }] }],
    ['redis://:p%40ss%3A%2F@h', { password: 'p@ss:/' }],
    ['redis://ann:p:w@h', { username: 'ann', password: 'p:w' }],
    ['rediss://h', { tls: {} }],
    [
      'rediss://h?ca=/a%20b.pem&cert=/c.pem&key=/k.pem&servername=redis.test',
      { tls: { ca: '/a b.pem', cert: '/c.pem', key: '/k.pem', servername: 'redis.test' } },
    ],
    [
      'redis+sentinel://ann:pw@a,b:7000/farm?sentinelUsername=sam&sentinelPassword=s%26pw',
      {
        kind: 'sentinel',
        hosts: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 7000 },
        ],
        masterName: 'farm',
        username: 'ann',
        password: 'pw',
        sentinelLogin: { username: 'sam', password: 's&pw' },
      },
    ],
    ['redis+sentinel://a/my%20farm/3', { masterName: 'my farm', database: 3, sentinelLogin: {} }],
    [
      'rediss+cluster://a:1,b?ca=/ca.pem',
      {
        kind: 'cluster',
        tls: { ca: '/ca.pem' },
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 6379 },
        ],
      },
    ],
  ])('%s is read', (text, parts) => {
    expect(parseRedisAddress(text)).toMatchObject(parts);
    expect(redisAddressSchema.parse(text)).toBe(text);
  });

  it.each([
    ['s3cret', 'begins with redis://'],
    ['http://ann:s3cret@h', 'begins with redis://'],
    ['redis+other://ann:s3cret@h', 'begins with redis://'],
    ['redis://ann:s3cret#x@h', 'no # in it'],
    ['redis://ann:x/s3cret@h', 'host 1'],
    ['redis://ann:s3cret', 'host 1'],
    ['redis://ann:s3cret@h:99999', 'host 1'],
    ['redis://ann:s3cret@h:0', 'host 1'],
    ['redis://ann:s3cret@ h', 'host 1'],
    ['redis://ann:s3cret%@h', 'password'],
    ['redis://ann@h', 'no password'],
    ['redis://:s3cret@a,b', 'several hosts'],
    ['redis://:s3cret@h/one', 'database'],
    ['redis://:s3cret@h/70000', 'database'],
    ['redis://:s3cret@h/1/2', 'too long a path'],
    ['redis://h?password=s3cret', 'unknown parameter'],
    ['redis://:s3cret@h?ca=/ca.pem', 'rediss://'],
    ['rediss://:s3cret@h?cert=/c.pem', 'both cert and key'],
    ['rediss://:s3cret@h?ca=/a&ca=/b', 'ca twice'],
    ['rediss://:s3cret@h?constructor=x', 'unknown parameter'],
    ['redis+sentinel://:s3cret@h', 'master'],
    ['redis+sentinel://:s3cret@h/', 'master'],
    ['redis+sentinel://h/farm?sentinelPassword=a&s3cret', 'unknown parameter'],
    ['redis+sentinel://h/farm?sentinelPassword=s3cret%', 'sentinelPassword'],
    ['redis+sentinel://:s3cret@a,,b/farm', 'host 2'],
    ['redis+cluster://:s3cret@a/1', 'no databases'],
    ['redis+cluster://:s3cret@', 'host 1'],
  ])('%s is refused, and nothing of it is repeated', (text, fault) => {
    const parsed = redisAddressSchema.safeParse(text);
    expect(() => parseRedisAddress(text)).toThrow(fault);
    expect(() => parseRedisAddress(text)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(JSON.stringify(parsed.error)).toContain(JSON.stringify(fault).slice(1, -1));
    expect(JSON.stringify(parsed.error)).not.toContain('s3cret');
    expect(hidePassword(text)).not.toContain('s3cret');
  });

  it.each([
    ['redis://h:1/2', 'redis://h:1/2'],
    ['redis://:pw@h', 'redis://:***@h'],
    ['redis://ann:p:w@[::1]:1', 'redis://ann:***@[::1]:1'],
    ['rediss://a@b:pw@h?ca=/x@y.pem', 'rediss://a@b:***@h?ca=/x@y.pem'],
    [
      'rediss+sentinel://ann:pw@a,b/farm?sentinelPassword=pw&ca=/ca.pem',
      'rediss+sentinel://ann:***@a,b/farm?sentinelPassword=***&ca=/ca.pem',
    ],
    ['redis+cluster://:pw@a,b', 'redis+cluster://:***@a,b'],
    ['redis://pw/@h', 'redis://***'],
    ['pw', '***'],
  ])('%s is told as %s', (text, told) => {
    expect(hidePassword(text)).toBe(told);
  });
});
