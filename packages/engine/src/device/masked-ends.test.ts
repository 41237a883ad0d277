import { describe, expect, it } from 'vitest';
import { attendedPlaces, countedPlaces, NOTHING_MASKED, placesFrom, type Places } from './masked-ends.ts';

/** [CLS] and [SEP] of BERT; of RoBERTa two stand between. */
const BERT = { first: 1, between: 1, last: 1 };
const ROBERTA = { first: 1, between: 2, last: 1 };

/** 0 and 1 as the input mask of bert-as-service. */
const maskOf = (length: number, places: readonly Places[]): string =>
  Array.from({ length }, (_, place) =>
    places.some(({ begin, end }) => place >= begin && place < end) ? 1 : 0,
  ).join('');

describe('the places that count', () => {
  it.each([
    ['a text', 5, BERT, 0, '01110'],
    ['an empty text', 2, BERT, 0, '00'],
    ['a pair', 7, BERT, 4, '0110110'],
    ['a pair whose first segment is empty', 4, BERT, 2, '0010'],
    ['a pair whose second segment is empty', 4, BERT, 3, '0100'],
    ['an empty pair', 3, BERT, 2, '000'],
    ['a pair of RoBERTa', 8, ROBERTA, 5, '01100110'],
    ['a pair without a mask', 7, NOTHING_MASKED, 4, '1111111'],
  ])('of %s are those that are not special', (_, length, masked, secondAt, mask) => {
    expect(maskOf(length, countedPlaces(length, masked, secondAt))).toBe(mask);
  });

  it('are attended to, or all places where none counts', () => {
    expect(maskOf(7, attendedPlaces(7, BERT, 4))).toBe('0110110');
    expect(maskOf(3, attendedPlaces(3, BERT, 2))).toBe('111');
  });

  it('are pooled from the end of a prompt on', () => {
    const places = countedPlaces(7, BERT, 4);
    expect([0, 2, 3, 5, 6, 9].map((begin) => maskOf(7, placesFrom(places, begin)))).toEqual([
      '0110110',
      '0010110',
      '0000110',
      '0000010',
      '0000000',
      '0000000',
    ]);
  });
});
