#!/bin/bash
# AWS Batch: an array job of 8 shards, and the merge after it, from the same definition with another command.
#
#   aws-batch/submit.sh QUEUE
#
# If children of the array failed, run it again: shards that are complete take a second.
set -euo pipefail
cd "$(dirname "$0")"
queue=$1
aws batch register-job-definition --cli-input-json file://scan.json >/dev/null

array=$(aws batch submit-job --job-name waybill-scan --job-queue "$queue" --job-definition waybill-scan \
  --array-properties size=8 --query jobId --output text)
aws batch submit-job --job-name waybill-merge --job-queue "$queue" --job-definition waybill-scan \
  --depends-on "jobId=$array" --query jobId --output text --container-overrides \
  '{"command": ["sh", "-c", "waybill merge $RESULTS/shard-*.ndjson -o - -o $RESULTS/fleet.html -o $RESULTS/fleet.json"]}'
