import { describe, expect, it } from 'vitest';
import { parseOptions } from './encode-request.ts';
import { webhookUrlSchema } from './webhook-url.ts';

const canonical = (url: unknown) => parseOptions('submit options', webhookUrlSchema, url);

describe('the URL of a webhook', () => {
  it.each([
    ['https://a.example.com/hooks?key=1', 'https://a.example.com/hooks?key=1'],
    ['HTTPS://A.Example.COM', 'https://a.example.com/'],
    ['https://a.example.com./x', 'https://a.example.com/x'],
    ['https://a.example.com:443/', 'https://a.example.com/'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/'],
    ['https://%61.example.com/', 'https://a.example.com/'],
    ['https://2130706433/', 'https://127.0.0.1/'],
    ['https://0x7f.1/', 'https://127.0.0.1/'],
    ['https://[::FFFF:127.0.0.1]:8443/', 'https://[::ffff:7f00:1]:8443/'],
    ['https://a.example.com/@b', 'https://a.example.com/@b'],
  ])('%s is stored as %s', (given, stored) => {
    expect(canonical(given)).toBe(stored);
  });

  it.each([
    ['ftp://a.example.com', 'http:// or https://'],
    ['https:a.example.com', 'http:// or https://'],
    ['https:///a.example.com', 'http:// or https://'],
    ['a.example.com', 'http:// or https://'],
    ['javascript:alert(1)', 'http:// or https://'],
    ['https://user:pass@a.example.com', 'user name or password'],
    ['https://a.example.com@evil.example', 'user name or password'],
    ['https://@evil.example', 'user name or password'],
    ['https://a.example.com\\@evil.example', 'backslash'],
    [' https://a.example.com', 'white space'],
    ['https://a.example\n.com', 'white space'],
    ['https://a.example.com/\u0000', 'control character'],
    ['https://a.example.com/\ud800', 'lone surrogate'],
    ['https://a.example.com/#part', 'fragment'],
    ['https://a.example.com:0/', 'port'],
    ['https://a.example.com:99999/', 'http:// or https://'],
    ['https://a..example.com/', 'host'],
    ['https://.example.com/', 'host'],
    ['https://./', 'host'],
    ['https://[::1/', 'http:// or https://'],
    [`https://${'a'.repeat(254)}/`, 'host of at most'],
    [`https://a.example.com/${'x'.repeat(2_000)}`, '2000'],
    [`https://a.example.com/${'é'.repeat(900)}`, '2000'],
    [7, 'string'],
    ['', 'http:// or https://'],
  ])('%j is refused, and is not quoted', (given, fault) => {
    expect(() => canonical(given)).toThrow(expect.objectContaining({ code: 'invalid_argument' }) as Error);
    expect(() => canonical(given)).toThrow(fault);
    expect(() => canonical(given)).not.toThrow('example');
  });
});
