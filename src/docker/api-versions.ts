/** Versions of Docker's API whose answers we know. */
export const API_VERSIONS = { oldest: '1.24', newest: '1.51' } as const;
