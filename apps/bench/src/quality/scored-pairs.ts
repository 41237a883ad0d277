import { FarmError } from '@embedfarm/contract';

export interface ScoredPair {
  readonly texts: readonly [string, string];
  readonly score: number;
}

/**
 * Pairs of a CSV file without a header: text, text, score.
 *
 * @throws FarmError `invalid_argument` naming the record.
 */
export function parseScoredPairs(csv: string): ScoredPair[] {
  return parseCsv(csv).map((fields, index) => {
    const [first, second, score = ''] = fields;
    if (first !== undefined && second !== undefined && fields.length === 3 && score.trim() !== '') {
      const number = Number(score);
      if (Number.isFinite(number)) return { texts: [first, second], score: number };
    }
    throw new FarmError('invalid_argument', `record ${index + 1} is not: text, text, score`);
  });
}

/**
 * Records of comma-separated fields; one in quotes may hold commas, line ends and doubled quotes.
 *
 * Source: RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180).
 */
export function parseCsv(csv: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  // A field, and what ends it: the end of the file ends the last.
  for (const [, quoted, bare = '', end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    const isLast = end === '';
    if (isLast && record.length === 0 && quoted === undefined && bare === '') break;
    record.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    records.push(record);
    record = [];
    if (isLast) break;
  }
  return records;
}
