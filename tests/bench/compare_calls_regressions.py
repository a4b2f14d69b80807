#!/usr/bin/env python3
"""Does `edgelab results compare` call a kernel that became slower, and keep quiet about equals? Tried on real processes.

    cmake --build build --target edgelab slower_regions
    python3 tests/bench/compare_calls_regressions.py --build build

One comparison is of three sides: A and B are the same program, C is that program with kernels that take --slower per cent
longer (tests/bench/slower_regions.cpp, preloaded). Each side is --processes processes of one `bench` job, run by turns in an
order drawn anew for each turn. Held against A, C must be called slower in each comparison, with exit code 1 under
--fail-if-slower; B must not be called anything in at least 19 of 20. Nothing else should run meanwhile: with the default
numbers for a quarter of an hour. --report only says what came out.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

JOB = """name: regression
jobs:
  - id: speed
    task: bench
    model: {arch: mobilenet_v2, weights: random, input_size: 128}
    measure: {warmup: 3, repeats: 3}
"""


def edgelab(arguments, build, **more):
    return subprocess.run([build / "edgelab", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **more)


def measure(build, folder, name, slower_by):
    environment = dict(os.environ)
    if slower_by:
        environment |= {"LD_PRELOAD": str(build / "libslower_regions.so"), "SLOWER_BY": str(slower_by)}
    file = folder / f"{name}.h5"
    ended = edgelab(["run", folder / "job.yaml", "--out", file], build, env=environment)
    if ended.returncode != 0:
        sys.exit(f"{name}: exit code {ended.returncode}\n{ended.stderr}")
    return file


def sides(build, folder, options, number):
    """The files of A, B and C."""
    files = {"a": [], "b": [], "c": []}
    for turn in range(options.processes):
        for side in random.sample(sorted(files), k=len(files)):
            files[side].append(measure(build, folder, f"{number}{side}{turn}", options.slower if side == "c" else 0))
    return files


def compared(build, a, b):
    """The verdict on the median latency, the ratio, and the exit code under --fail-if-slower."""
    ended = edgelab(["results", "compare", *a, "--against", *b, "--json", "--fail-if-slower", 0], build)
    job = json.loads(ended.stdout)["jobs"]["speed"]
    return job["verdict"], job["latency_p50_ns"]["b"] / job["latency_p50_ns"]["a"], ended.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--comparisons", type=int, default=40)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--slower", type=float, default=10)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    build = options.build.resolve()
    false_alarms, found = 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "job.yaml").write_text(JOB)
        measure(build, folder, "first", 0)  # and with it the choice of kernels, which is kept for all that follow
        for number in range(options.comparisons):
            files = sides(build, folder, options, number)
            equals, slower = compared(build, files["a"], files["b"]), compared(build, files["a"], files["c"])
            false_alarms += equals[0] != "can't tell"
            found += slower[0] == "slower" and slower[2] == 1
            print(f"{number + 1}: equals {equals[0]} ({equals[1]:.3f}), {options.slower:g} % slower: {slower[0]} ({slower[1]:.3f})", flush=True)
    print(f"{options.comparisons} comparisons of {options.processes} processes a side: equals called different {false_alarms} times, "
          f"{options.slower:g} % called slower {found} times")
    good = found == options.comparisons and 20 * false_alarms <= options.comparisons
    return 0 if good or options.report else 1


if __name__ == "__main__":
    sys.exit(main())
