#!/bin/bash
# Bazel: one shard. `--shard auto` reads TEST_SHARD_INDEX and TEST_TOTAL_SHARDS, and touches TEST_SHARD_STATUS_FILE.
set -euo pipefail
exec waybill scan "$1" --shard auto -o "$TEST_UNDECLARED_OUTPUTS_DIR/shard.ndjson"
