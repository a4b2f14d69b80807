"""Reads a results file of tests/results/sample_run.hpp with results/edgelab_results.py, and checks every table and plot.

usage: analysis_reads_it.py FILE FOLDER
"""
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "results"))
import edgelab_results  # noqa: E402  (the path above is where it is)

run = edgelab_results.Run(sys.argv[1])
folder = pathlib.Path(sys.argv[2])

assert run.provenance()["edgelab_version"] == "0.1.0"
jobs = run.jobs()
assert list(jobs.index) == ["serial", "grid[precision=int8,attention=flash]", "pruned", "after/pruned"]
assert jobs.loc["serial", "top1"] == 0.9453125 and jobs.loc["serial", "model_arch"] == "mobilenet_v2"
assert jobs.loc["pruned", "status"] == "failed" and jobs["top1"].isna()["pruned"]

layers = run.table("layers")
assert len(layers) == 40 and layers.loc[3, "name"] == "features.3.conv" and layers["job"].nunique() == 2
for name, rows in {"ranks": 4, "training": 4, "telemetry": 2, "sensitivity": 6, "trials": 4, "expectations": 6, "class_names": 20, "mistakes": 2}.items():
    assert len(run.table(name)) == rows, (name, len(run.table(name)))

latency = run.latency()
assert len(latency) == 2 * 2 * 64 and latency["latency_ns"].min() >= 4_000_000
assert run.array("serial", "predictions")[11] == 1
confusion = run.confusion("serial")
assert confusion.to_numpy().sum() == 64 and confusion.loc["class 1", "class 1"] == 1
(what, picture), = run.mistakes("serial")
assert what["prediction"] == 8 and picture.shape == (2, 3, 3) and list(picture[0, 1]) == [0, 255, 0]

for plot in (run.plot_latency, run.plot_accuracy, lambda: run.plot_layers("serial"), run.plot_training, lambda: run.plot_training("loss")):
    axes = plot()
    axes.figure.savefig(folder / "plot.png")
    assert (folder / "plot.png").stat().st_size > 1000

front = edgelab_results.pareto_front(jobs.assign(latency_p50_ns=[3, 1, 2, 4], top1=[0.9, 0.5, 0.4, 0.95]))
assert list(front["latency_p50_ns"]) == [1, 3, 4], front

trials = run.table("trials")
assert list(trials.loc[trials["taken"] == 1, "settings"]) == 2 * ["calibration entropy, scheme symmetric"]

names = {path.stem for path in run.export(folder / "csv", "csv")}
assert {"jobs", "latency", "layers", "ranks", "mistakes", "trials"} <= names, names
print("tables and plots are in order")
