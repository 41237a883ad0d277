import { describe, expect, it } from 'vitest';
import { parsePrometheusText } from './prometheus-text.ts';

const HEAD = '# HELP a A.\n# TYPE a gauge\n';

describe('the reader of a scrape', () => {
  it('gives metrics, labels as they were and values', () => {
    const text = `${HEAD}a 1\na{b="x\\"y\\\\z\\n",c="{}, #"} -1.5e3\na{b="", c="é"} NaN\n\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n`;
    const families = parsePrometheusText(text);
    expect(families.get('a')).toMatchObject({
      kind: 'gauge',
      help: 'A.',
      samples: [
        { labels: {}, value: 1 },
        { labels: { b: 'x"y\\z\n', c: '{}, #' }, value: -1_500 },
        { labels: { b: '', c: 'é' }, value: Number.NaN },
      ],
    });
    expect(families.get('h')?.samples).toHaveLength(4);
  });

  it.each([
    ['a 1', 'no end'],
    ['a 1\n', 'apart'],
    [`${HEAD}b 1\n`, 'apart'],
    [`${HEAD}a 1\na 2\n`, 'series that was told'],
    [`${HEAD}a{b="x",c="y"} 1\na{c="y",b="x"} 2\n`, 'series that was told'],
    [`${HEAD}a 1\n# TYPE b gauge\nb 1\n# HELP a A.\n`, 'told before'],
    [`${HEAD}# TYPE a gauge\n`, 'second TYPE'],
    [`${HEAD}a 1\n# HELP a B.\n`, 'after its lines'],
    ['# TYPE a thing\n', 'no kind'],
    ['# TYPE 9a gauge\n', 'no name'],
    [`${HEAD}a{b="x} 1\n`, 'no end'],
    [`${HEAD}a{b="x"y"} 1\n`, 'comma'],
    [`${HEAD}a{b="\\x"} 1\n`, 'escape'],
    [`${HEAD}a{b="x",b="y"} 1\n`, 'second label'],
    [`${HEAD}a{b-c="x"} 1\n`, 'no value of the label'],
    [`${HEAD}a{b="x"}1\n`, 'no value'],
    [`${HEAD}a\n`, 'no value'],
    [`${HEAD}a 1 2 3\n`, 'no value'],
    [`${HEAD}a null\n`, 'no value'],
    [`${HEAD}<b>\n`, 'no name'],
    ['# TYPE h histogram\nh_bucket{le="1"} 1\nh_count 1\n', 'Inf'],
    ['# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\n', 'less'],
    ['# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_count 2\n', 'last bucket'],
    ['# TYPE h histogram\nh 1\n', 'apart'],
  ])('refuses %j', (text, message) => {
    expect(() => parsePrometheusText(text)).toThrow(message);
  });
});
