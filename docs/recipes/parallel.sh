#!/bin/bash
# GNU parallel: the shards of a fleet, as many at a time as there are cores.
#
#   parallel.sh ARCHIVES RESULTS [SHARDS]
#
# With `--sshloginfile nodes` parallel starts them on other machines, which need both folders at the same paths.
set -euo pipefail
export archives=$1 results=$2 shards=${3:-8}
mkdir -p "$results/shards"

# Exit code 1 means findings: the shard is done, and the merge decides. Everything else is tried once more. What is
# still missing then is what the merge complains about.
seq "$shards" | parallel --joblog "$results/parallel.log" --retries 2 --env archives,results,shards \
  'waybill scan "$archives" --shard {}/"$shards" --jobs 1 --resume "$results/shards/{}.ndjson" || [ $? -eq 1 ]' || true

exec waybill merge "$results"/shards/*.ndjson -o - -o "$results/fleet.html" -o "$results/fleet.ndjson"
