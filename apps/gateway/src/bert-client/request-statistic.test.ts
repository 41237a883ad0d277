import { expect, it } from 'vitest';
import { RequestStatistic } from './request-statistic.ts';

it('counts requests, texts and clients as bert-as-service does', () => {
  const statistic = new RequestStatistic(0);
  statistic.note('a', undefined, 500);
  statistic.note('a', 16, 1_000);
  statistic.note('b', 16, 1_500);
  statistic.note('b', 4, 3_500);
  expect(statistic.value(4_000)).toEqual({
    num_data_request: 3,
    num_total_seq: 36,
    num_sys_request: 1,
    num_total_request: 4,
    num_total_client: 2,
    num_active_client: 2,
    avg_request_per_client: 2,
    min_request_per_client: 2,
    max_request_per_client: 2,
    num_min_request_per_client: 2,
    num_max_request_per_client: 2,
    avg_size_per_request: 12,
    min_size_per_request: 4,
    max_size_per_request: 16,
    num_min_size_per_request: 1,
    num_max_size_per_request: 2,
    avg_last_two_interval: 3.5 / 3,
    min_last_two_interval: 0.5,
    max_last_two_interval: 2,
    num_min_last_two_interval: 1,
    num_max_last_two_interval: 1,
    avg_request_per_second: 3.5 / 3,
    min_request_per_second: 0.5,
    max_request_per_second: 2,
    num_min_request_per_second: 1,
    num_max_request_per_second: 1,
  });
});

it('leaves out what nobody has asked for yet', () => {
  const statistic = new RequestStatistic(0);
  expect(Object.keys(statistic.value(1))).toEqual([
    'num_data_request',
    'num_total_seq',
    'num_sys_request',
    'num_total_request',
    'num_total_client',
    'num_active_client',
  ]);
});

it('takes a client for active for three minutes, and remembers 500 of them', () => {
  const statistic = new RequestStatistic(0);
  for (let client = 0; client < 1_000; client += 1) statistic.note(`client ${client}`, 1, client);
  expect(statistic.value(1_000)).toMatchObject({ num_total_client: 1_000, num_active_client: 500 });
  expect(statistic.value(180_990)).toMatchObject({ num_total_client: 1_000, num_active_client: 9 });
});
