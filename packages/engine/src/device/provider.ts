import { FarmError } from '@embedfarm/contract/farm-error';

/** What of the runtime runs a device. */
const PROVIDERS = ['cpu', 'cuda', 'webgpu'] as const;
export type Provider = (typeof PROVIDERS)[number];

/**
 * By a device's name: `cpu/0` is one core, `cuda:1` the second card, `webgpu` the adapter that the system
 * gives.
 *
 * @throws FarmError `internal` for a name that no device has.
 */
export function providerOf(name: string): Provider {
  const [kind] = name.split(/[/:]/, 1);
  const provider = PROVIDERS.find((known) => known === kind);
  if (provider === undefined) throw new FarmError('internal', `no provider runs a device ${name}`);
  return provider;
}
