"""Spark: the paths of a list, 200 at a time, through the standard input and output of waybill.

    spark-submit spark.py /shared/archives /shared/list /shared/results
    waybill merge --root /shared/archives --list /shared/list /shared/results/part-*

Each partition is a run of its own. The merge proves that together they are the list. Spark splits text at newlines:
paths that hold one need shards.
"""
import shlex
import sys

from pyspark.sql import SparkSession

archives, paths, results = sys.argv[1:]
# Exit codes 1 and 2 are about archives, and in the results.
scan = f"waybill scan --root {shlex.quote(archives)} --files-from - --jobs 1 -o - || true"

context = SparkSession.builder.appName("waybill").getOrCreate().sparkContext
lines = context.textFile(paths)
partitions = max(1, -(-lines.count() // 200))
lines.repartition(partitions).pipe(f"sh -c {shlex.quote(scan)}").saveAsTextFile(results)
