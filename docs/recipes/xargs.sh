#!/bin/bash
# xargs: the shards of a fleet, as many at a time as there are cores.
#
#   xargs.sh ARCHIVES RESULTS [SHARDS]
set -euo pipefail
export archives=$1 results=$2 shards=${3:-8}
mkdir -p "$results/shards"

# Exit code 1 means findings: the shard is done, and the merge decides. So it does about what is missing.
seq "$shards" | xargs -P "$(nproc)" -I {} sh -c \
  'waybill scan "$archives" --shard {}/"$shards" --jobs 1 --resume "$results/shards/{}.ndjson" || [ $? -eq 1 ]' || true

exec waybill merge "$results"/shards/*.ndjson -o - -o "$results/fleet.html" -o "$results/fleet.ndjson"
