import { openAclRedis, type AclRedis } from '@embedfarm/testkit/acl-redis';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { TEST_PASSWORD } from '@embedfarm/testkit/redis-servers';
import { openSentinelRedis, type SentinelRedis } from '@embedfarm/testkit/sentinel-redis';
import { openTlsRedis, type TlsRedis } from '@embedfarm/testkit/tls-redis';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Inspector } from './inspect/inspector.ts';
import { Producer } from './producer/producer.ts';
import { FarmWorker } from './worker/farm-worker.ts';

checkOpenHandles();

const TIMEOUT_MS = 600;
const WRONG = 'wr0ng-secret';

describe('a Redis that lets nobody in', () => {
  let acl: AclRedis;
  let tls: TlsRedis;
  let sentinel: SentinelRedis;

  beforeAll(async () => {
    [acl, tls, sentinel] = await Promise.all([
      openAclRedis(['~*', '&*', '+@all']),
      openTlsRedis(),
      openSentinelRedis(),
    ]);
  });
  afterAll(() => Promise.all([acl.close(), tls.close(), sentinel.close()]));

  it.each<[what: string, address: () => string, fault: RegExp]>([
    ['a wrong password', () => `redis://farm:${WRONG}@${acl.host}`, /WRONGPASS|NOAUTH/],
    ['no password', () => `redis://${acl.host}`, /NOAUTH/],
    [
      'an authority that has not signed',
      () => `rediss://${tls.host}?ca=${tls.certificates.otherCa}`,
      /certificate/,
    ],
    [
      'no certificate of its own',
      () => `rediss://${tls.host}?ca=${tls.certificates.ca}`,
      /certificate required|ECONNRESET|closed/,
    ],
    ['another name', () => `${tls.url}&servername=other.test`, /altnames/],
    [
      'a user who may not see the keys',
      () => `redis://stranger:${encodeURIComponent(TEST_PASSWORD)}@${acl.host}`,
      /NOPERM/,
    ],
    ['no TLS', () => `redis://:${WRONG}@${tls.host}`, /./],
    ['TLS where there is none', () => `rediss://:${WRONG}@${acl.host}`, /./],
    ['a wrong master name', () => sentinel.url.replace('/farm?', '/other?'), /No such master/],
    [
      'a wrong password of the sentinels',
      () => sentinel.url.replace(/sentinelPassword=.*/, `sentinelPassword=${WRONG}`),
      /WRONGPASS|NOAUTH/,
    ],
    [
      'a wrong password of the master',
      () => sentinel.url.replace(/:[^:]*@/, `:${WRONG}@`),
      /WRONGPASS|NOAUTH/,
    ],
    ['sentinels where there are none', () => `redis+sentinel://${acl.host}/farm`, /unknown command/],
    [
      'a Cluster where there is none',
      () => `redis+cluster://farm:${encodeURIComponent(TEST_PASSWORD)}@${acl.host}`,
      /cluster support disabled/,
    ],
    ['a wrong password of a Cluster', () => `redis+cluster://farm:${WRONG}@${acl.host}`, /WRONGPASS|NOAUTH/],
  ])('%s is redis_unavailable at the deadline, and tells no password', async (_what, address, fault) => {
    const openings = [
      Producer.open({ redis: address(), timeoutMs: TIMEOUT_MS }),
      Inspector.open({ redis: address(), timeoutMs: TIMEOUT_MS }),
    ];
    for (const outcome of await Promise.allSettled(openings)) {
      const error = (outcome as PromiseRejectedResult).reason as Error;
      expect(error).toMatchObject({ code: 'redis_unavailable', message: expect.stringMatching(fault) });
      for (const secret of [WRONG, TEST_PASSWORD, encodeURIComponent(TEST_PASSWORD)]) {
        expect(String(error.stack)).not.toContain(secret);
      }
    }
  });

  it('a worker says why it waits, and waits on', async () => {
    const stop = new AbortController();
    const faults: Error[] = [];
    const opening = FarmWorker.open(
      fakeRegistration(),
      new FakeEncoder(),
      { redis: `redis://farm:${WRONG}@${acl.host}` },
      {
        signal: stop.signal,
        onFault: (_what, fault) => {
          faults.push(fault as Error);
          stop.abort();
        },
      },
    );
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' });
    expect(faults[0]).toMatchObject({
      code: 'redis_unavailable',
      message: expect.stringContaining('WRONGPASS'),
    });
    expect(faults[0]?.message).not.toContain(WRONG);
  });

  it.each<[what: string, options: () => { redis: string; prefix?: string }, fault: string]>([
    [
      'a file that is not there',
      () => ({ redis: `rediss://${tls.host}?ca=/no/such.pem` }),
      'ca (/no/such.pem) cannot be read: ENOENT',
    ],
    [
      'a file that is no certificate',
      () => ({ redis: `rediss://${tls.host}?ca=/etc/hostname` }),
      'holds no PEM',
    ],
    [
      'a key of another certificate',
      () => ({ redis: `rediss://${tls.host}?cert=${tls.certificates.otherCa}&key=${tls.certificates.key}` }),
      'do not fit',
    ],
    [
      'keys that a Cluster would spread',
      () => ({ redis: 'redis+cluster://127.0.0.1:1', prefix: 'plain' }),
      'hash tag',
    ],
  ])('%s is invalid_argument', async (_what, options, fault) => {
    const openings = [
      Producer.open(options()),
      Inspector.open(options()),
      FarmWorker.open(fakeRegistration(), new FakeEncoder(), options()),
    ];
    for (const outcome of await Promise.allSettled(openings)) {
      expect(outcome).toMatchObject({
        reason: { code: 'invalid_argument', message: expect.stringContaining(fault) },
      });
    }
  });
});
