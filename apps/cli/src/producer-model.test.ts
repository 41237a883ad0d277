import { describe, expect, it } from 'vitest';
import { producerModel } from './producer-model.ts';

describe('producerModel', () => {
  it.each([
    [{ name: 'tiny', model: '/models/other' }, { model: 'tiny' }],
    [{ name: undefined, model: 'embedded' }, { model: 'embedded' }],
    [{ name: undefined, model: '/models/all-MiniLM-L6-v2/' }, { model: 'all-MiniLM-L6-v2' }],
    [{ name: undefined, model: 'someone/tiny@main' }, { model: 'tiny' }],
    [{ name: undefined, model: undefined }, {}],
  ])('of %j asks for %j', (settings, wanted) => {
    expect(producerModel(settings)).toEqual(wanted);
  });
});
