import type { Calibration } from '../calibrate/calibration-cache.ts';
import type { Device } from '../device/device.ts';
import type { WarmDevice } from '../device/device-pool.ts';
import { providerOf } from '../device/provider.ts';
import { seatLimits } from './seat-limits.ts';
import type { SeatOptions } from './seat.ts';

/** Every device with its slots and budget: as said, else as measured, else as its kind has them. */
export function seatsFor(
  devices: readonly WarmDevice[],
  said: { readonly slots?: number | undefined; readonly tokenBudget?: number | undefined },
  calibration: Calibration,
): SeatOptions[] {
  return devices.map((warm) => {
    const provider = providerOf(warm.device.name);
    const measured = calibration.get(warm.device.name);
    return {
      ...warm,
      ...seatLimits(provider, said, measured),
      provider,
      ...(measured && { calibratedTokensPerSecond: measured.tokensPerSecond }),
    };
  });
}

/** The seat of all cores as one device: one batch at a time, as much as a core takes. */
export function togetherSeat(
  together: Device | undefined,
  [core]: readonly SeatOptions[],
): { together?: SeatOptions } {
  return together && core ? { together: { ...core, device: together, slots: 1 } } : {};
}
