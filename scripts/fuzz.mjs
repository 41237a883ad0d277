// npm run test:fuzz: 100,000 cases of bad input. A number of cases, and a seed: npm run test:fuzz -- 20000 7
const [cases = '100000', seed = '1'] = process.argv.slice(2);
process.env['EMBEDFARM_FUZZ_CASES'] = cases;
process.env['EMBEDFARM_FUZZ_SEED'] = seed;
process.argv.splice(2, Infinity, 'tests/fuzz');
await import('./test.mjs');
