#!/bin/bash
# Slurm: one list, an array of 8 tasks, and the merge when all of them have ended, however they ended.
#
#   ARCHIVES=/shared/archives RESULTS=/shared/results slurm/submit.sh
#
# If tasks failed, run it again: shards that are complete take a second, the others go on where they ended.
set -euo pipefail
cd "$(dirname "$0")"
export ARCHIVES RESULTS
mkdir -p "$RESULTS/shards"

# All tasks read the same list, also if archives are added meanwhile: files by their names, and OCI layouts that are
# folders. Delete it to scan what was added.
[ -f "$RESULTS/list" ] || {
  (cd "$ARCHIVES" && find . -name oci-layout -printf '%h\0' -o -type f \
    \( -name '*.tar' -o -name '*.tar.*' -o -name '*.tgz' -o -name '*.zip' \) -print0) >"$RESULTS/list.new"
  mv "$RESULTS/list.new" "$RESULTS/list"
}

scan=$(sbatch --parsable --output="$RESULTS/scan-%a.log" scan.sbatch)
merge=$(sbatch --parsable --dependency="afterany:$scan" --output="$RESULTS/merge.log" merge.sbatch)
echo "scan $scan, merge $merge"
