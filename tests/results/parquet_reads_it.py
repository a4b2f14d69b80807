"""Exports a results file of tests/results/sample_run.hpp as Parquet with results/edgelab_results.py, and reads it with pandas.

usage: parquet_reads_it.py FILE FOLDER
"""
import pathlib
import sys

import pandas

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "results"))
import edgelab_results  # noqa: E402  (the path above is where it is)

run = edgelab_results.Run(sys.argv[1])
written = {path.stem: path for path in run.export(pathlib.Path(sys.argv[2]))}
assert {"jobs", "latency", "layers", "ranks", "mistakes"} <= set(written), written
layers = pandas.read_parquet(written["layers"])
assert layers.equals(run.table("layers")) and len(layers) == 40, layers
latency = pandas.read_parquet(written["latency"])
assert latency["latency_ns"].dtype == "int64" and latency["latency_ns"].equals(run.latency()["latency_ns"]), latency.dtypes
jobs = pandas.read_parquet(written["jobs"])
assert len(jobs) == 4 and (jobs["top1"] == 0.9453125).sum() == 2, jobs
print("Parquet is in order")
