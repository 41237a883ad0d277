import type { Cluster, Redis } from 'ioredis';

/** A connection to the farm's Redis: of one server, of the master that sentinels know, or of a Cluster's nodes. */
export type FarmRedis = Redis | Cluster;

/** Also of a connection in BullMQ's dress. */
export function isCluster(redis: { readonly isCluster?: boolean }): redis is Cluster {
  return redis.isCluster === true;
}
