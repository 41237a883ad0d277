import { describe, expect, it } from 'vitest';
import { sessionOptions } from './session-options.ts';

describe('sessionOptions', () => {
  it('gives a core one thread that never spins', () => {
    expect(sessionOptions({ name: 'cpu/1', graph: 'packed' })).toMatchObject({
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'disabled',
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
  });

  it('lets several threads of one session wait for 50 µs, not longer', () => {
    expect(sessionOptions({ name: 'cpu/*', graph: 'packed', threads: 4 })).toMatchObject({
      intraOpNumThreads: 4,
      extra: { session: { intra_op: { spin_duration_us: '50' } } },
    });
  });

  it('has a foreign export optimized', () => {
    expect(sessionOptions({ name: 'cpu/0', graph: 'padded' })).toMatchObject({
      graphOptimizationLevel: 'all',
    });
  });

  it.each([
    ['cuda:0', 0],
    ['cuda:1', 1],
    ['cuda:15', 15],
  ])('gives %s its card, and no option that the binding would drop', (name, deviceId) => {
    const { executionProviders } = sessionOptions({ name, graph: 'packed' });
    expect(executionProviders).toEqual([{ name: 'cuda', deviceId }]);
  });

  it('gives webgpu nothing but its name, as it refuses unknown options', () => {
    const { executionProviders } = sessionOptions({ name: 'webgpu', graph: 'packed' });
    expect(executionProviders).toEqual([{ name: 'webgpu' }]);
  });

  it('throws for a name that no provider has', () => {
    expect(() => sessionOptions({ name: 'tpu:0', graph: 'packed' })).toThrow(/tpu:0/);
  });
});
