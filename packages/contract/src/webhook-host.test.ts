import { describe, expect, it } from 'vitest';
import { findWebhookHost, parseWebhookHost, webhookHostsSchema } from './webhook-host.ts';
import { parseWebhookUrl } from './webhook-url.ts';

function find(entries: string[], url: string): ReturnType<typeof findWebhookHost> {
  const parsed = parseWebhookUrl(url);
  return typeof parsed === 'string' ? undefined : findWebhookHost(entries, parsed);
}

describe('the hosts of webhooks', () => {
  it.each([
    ['a.example.com', 'https://a.example.com/x'],
    ['A.Example.com.', 'https://a.example.com/x'],
    ['a.example.com', 'https://A.EXAMPLE.COM./x'],
    ['bücher.example', 'https://xn--bcher-kva.example/'],
    ['a.example.com:8443', 'https://a.example.com:8443/x'],
    ['*.example.org', 'https://a.b.example.org/'],
    ['*.example.org:8443', 'https://a.example.org:8443/'],
    ['https://a.internal', 'https://a.internal/x'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/x'],
    ['127.0.0.1', 'https://2130706433/'],
    ['[::1]:8443', 'https://[0:0::1]:8443/'],
  ])('%s lets %s through', (entry, url) => {
    expect(find(['other.example', entry], url)).toBeDefined();
  });

  it.each([
    ['a.example.com', 'http://a.example.com/'],
    ['a.example.com', 'https://a.example.com:8443/'],
    ['a.example.com:8443', 'https://a.example.com/'],
    ['a.example.com', 'https://a.example.com.evil.example/'],
    ['a.example.com', 'https://evil-a.example.com/'],
    ['a.example.com', 'https://b.a.example.com/'],
    ['a.example.com', 'https://evil.example/a.example.com'],
    ['a.example.com', 'https://evil.example/?a.example.com'],
    ['*.example.org', 'https://example.org/'],
    ['*.example.org', 'https://evilexample.org/'],
    ['*.example.org', 'http://a.example.org/'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1/'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8081/'],
    ['http://127.0.0.1:8080', 'https://127.0.0.1:8080/'],
    ['http://127.0.0.1:8080', 'http://localhost:8080/'],
    ['http://127.0.0.1:8080', 'http://[::ffff:127.0.0.1]:8080/'],
  ])('%s does not let %s through', (entry, url) => {
    expect(find([entry], url)).toBeUndefined();
  });

  it('may be private where they are named as an origin or an address, and nowhere else', () => {
    const isPrivate = (entry: string) => parseWebhookHost(entry)?.mayBePrivate;
    expect(
      ['https://a.internal', 'http://a.internal:1', '10.0.0.7', '[fd00::7]:8443'].map(isPrivate),
    ).toEqual([true, true, true, true]);
    expect(['a.internal', '*.internal', 'localhost:8443'].map(isPrivate)).toEqual([false, false, false]);
    expect(find(['*.internal', 'https://a.internal'], 'https://a.internal/')?.mayBePrivate).toBe(true);
  });

  it.each([
    '',
    '*',
    '*.',
    'a.*.example',
    '*.*.example',
    '*.10.0.0.7',
    'http://*.example.org',
    'a.example.com/',
    'a.example.com/hooks',
    'a.example.com?x',
    'https://a.example.com/',
    'user@a.example.com',
    'a b.example',
    'ftp://a.example.com',
    'a.example.com:0',
    'a.example.com:many',
    '[::1',
  ])('%j is none', (entry) => {
    expect(webhookHostsSchema.safeParse([entry]).success).toBe(false);
  });
});
