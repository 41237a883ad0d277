import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@embedfarm/testkit/eventually';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine, end, gather } from './testing/command-line.ts';

let line: CommandLine;
beforeAll(async () => {
  line = await CommandLine.open();
});
afterEach(() => line.rest());
afterAll(() => line.close());

describe('embedfarm gateway', () => {
  it('opens, asks for the keys that it was given, and ends on SIGTERM', async () => {
    const sha256 = createHash('sha256').update('secret').digest('hex');
    await writeFile(join(line.dir, 'keys.json'), JSON.stringify([{ name: 'web', sha256 }]));
    const gateway = line.start(['gateway', '--port', '0', '--keys', 'keys.json']);
    const stdout = gather(gateway.stdout);
    const [, url = ''] = await eventually(() => /^Gateway: (\S+)$/m.exec(stdout()), { what: 'its URL' });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    const headers = { Authorization: 'Bearer secret' };
    expect((await fetch(`${url}/v1/models`, { headers })).status).toBe(200);
    expect(await end(gateway)).toBe(0);
  });

  it.each([
    [['--port', '70000'], 2, 'at --port'],
    [['--cors-origins', 'a.example.com'], 1, 'at corsOrigins'],
    [['--keys', 'nowhere.json'], 1, 'keys of the gateway in nowhere.json: cannot be read'],
  ])('%j is refused', async (args, code, fault) => {
    const { exitCode, stderr } = await line.run(['gateway', ...args]);
    expect(stderr).toContain(fault);
    expect(exitCode).toBe(code);
  });

  it('does not print keys that are broken', async () => {
    const variables = { EMBEDFARM_GATEWAY_KEYS: '[{"name":"web","key":"secret"}]' };
    const { exitCode, stderr } = await line.run(['gateway', '--port', '0'], { variables });
    expect(stderr).toContain('at [0].sha256');
    expect(stderr).not.toContain('"secret"');
    expect(exitCode).toBe(1);
  });
});
