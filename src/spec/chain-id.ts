import { digestKind, digestOf } from './digest.js';

/**
 * The chain IDs of a stack of layers: ChainID(L₀) = DiffID(L₀), ChainID(L₀|…|Lₙ) = SHA256(ChainID(L₀|…|Lₙ₋₁) + " " + DiffID(Lₙ)).
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#layer-chainid
 */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}

/** Those of the layers up to the first whose diff_id is no digest: above it there are none. */
export function soundChainIds(diffIds: readonly string[]): string[] {
  const end = diffIds.findIndex(diffId => digestKind(diffId) === 'malformed');
  return chainIds(end < 0 ? diffIds : diffIds.slice(0, end));
}
