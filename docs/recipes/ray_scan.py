"""Ray: the paths of a list (NUL-separated, standard input), 200 at a time; a results file for each task.

    python3 ray_scan.py /shared/archives /shared/results < /shared/list
    waybill merge --root /shared/archives --list /shared/list /shared/results/*.ndjson
"""
import subprocess
import sys

import ray

archives, results = sys.argv[1:]
paths = sys.stdin.buffer.read().rstrip(b"\0").split(b"\0")
scan = ["waybill", "scan", "--root", archives, "--files-from", "-", "--jobs", "1", "--resume"]


@ray.remote
def run(number, part):
    return subprocess.run([*scan, f"{results}/{number}.ndjson"], input=b"\0".join(part) + b"\0").returncode


ray.init()
parts = [paths[at : at + 200] for at in range(0, len(paths), 200)]
print(max(ray.get([run.remote(number, part) for number, part in enumerate(parts)])))
