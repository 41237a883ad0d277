import { median } from './percentile.ts';

/** Things of one form to one of the same form, with the median of every number. All else is of the first. */
export function medianTree<Tree>(trees: readonly Tree[]): Tree {
  const [first] = trees;
  if (typeof first === 'number') return median(trees as readonly number[]) as Tree;
  if (typeof first !== 'object' || first === null) return first as Tree;
  const branches = Object.keys(first).map((key) => [
    key,
    medianTree(trees.map((tree) => tree[key as keyof Tree])),
  ]);
  return Object.fromEntries(branches) as Tree;
}
