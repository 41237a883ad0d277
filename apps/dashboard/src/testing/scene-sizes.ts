/** What a scene is made of. */
export interface SceneSizes {
  readonly workers: number;
  readonly clients: number;
  readonly textsPerSecond: number;
  readonly bulkJobs: number;
  readonly requests: number;
  readonly isHostile: boolean;
}

/** From 0 to 1, the same for the same seed. */
export function noise(seed: number): number {
  const mixed = Math.sin(seed * 12.9898) * 43_758.5453;
  return mixed - Math.floor(mixed);
}
