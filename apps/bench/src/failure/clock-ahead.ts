// Loaded before everything else of a process whose wall clock is to be wrong: `node --import`.
const aheadMs = Number(process.env['EMBEDFARM_CLOCK_AHEAD_MS'] ?? 0);
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...given: [] | ConstructorParameters<DateConstructor>) {
    if (given.length === 0) super(RealDate.now() + aheadMs);
    else super(...given);
  }

  static override now(): number {
    return RealDate.now() + aheadMs;
  }
} as DateConstructor;
