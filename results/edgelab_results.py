"""Results files of edgelab as pandas tables, and the usual plots of them.

    import edgelab_results as results
    run = results.Run("demo.h5")
    run.jobs()                  # a row a job
    run.table("layers")         # a row a layer of every job; also ranks, training, rates, telemetry, energy, sensitivity, trials, expectations
    run.latency()               # a row a call
    run.plot_accuracy()

Needs h5py and pandas, the plots matplotlib, Parquet pyarrow. schema.md says what the columns mean and in which units they are.
From a shell:  python3 edgelab_results.py demo.h5 --parquet tables   (or --csv)
"""
import argparse
import pathlib

import h5py
import pandas as pd

TABLES = ("layers", "training", "rates", "telemetry", "energy", "sensitivity", "trials", "expectations", "class_names")
GROUPS = ("ranks", "mistakes")  # groups of attributes, a row each


def _frame(dataset):
    """A compound dataset as a table; its strings come as bytes."""
    frame = pd.DataFrame(dataset[:])
    for column in frame.select_dtypes(object):
        frame[column] = frame[column].str.decode("utf-8")
    return frame


class Run:
    """One results file. It is read anew by each call and never kept open, so that a run may replace it."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        with h5py.File(self.path) as file:
            schema = file.attrs.get("schema")
            if schema != "edgelab/1":
                raise ValueError(f"{path}: the schema is {schema!r}, this module reads 'edgelab/1'")

    def _jobs(self, file):
        for group in file["jobs"].values() if "jobs" in file else ():
            yield group.attrs["id"], group

    def provenance(self):
        """What made the file: a Series."""
        with h5py.File(self.path) as file:
            return pd.Series(dict(file["provenance"].attrs))

    def jobs(self):
        """A row a job: its attributes, those of its model (model_…) and scenario (scenario_…), and its summary. What is unknown is NaN or None."""
        rows = []
        with h5py.File(self.path) as file:
            for _, job in self._jobs(file):
                row = dict(job.attrs)
                row.update({f"model_{name}": value for name, value in job["model"].attrs.items()} if "model" in job else {})
                row.update({f"scenario_{name}": value for name, value in job["scenario"].attrs.items()} if "scenario" in job else {})
                row.update(job["summary"].attrs if "summary" in job else {})
                rows.append({name: value for name, value in row.items() if name not in ("NX_class", "signal", "axes", "description", "content_sha256")})
        frame = pd.DataFrame(rows)
        return frame.set_index("id") if len(frame) else frame

    def table(self, name):
        """The rows of a table of every job, the job's id in the first column; empty if no job has it."""
        if name not in TABLES + GROUPS:
            raise ValueError(f"there is no table {name!r}; there are {', '.join(TABLES + GROUPS)}")
        frames = []
        with h5py.File(self.path) as file:
            for job_id, job in self._jobs(file):
                if name not in job:
                    continue
                if name in TABLES:
                    frame = _frame(job[name])
                else:
                    frame = pd.DataFrame([dict(member.attrs) for member in job[name].values()]).drop(columns="description", errors="ignore")
                frame.insert(0, "job", job_id)
                frames.append(frame)
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def latency(self):
        """A row a call: job, repeat, call, latency_ns."""
        frames = []
        with h5py.File(self.path) as file:
            for job_id, job in self._jobs(file):
                if "latency" in job:
                    repeats, calls = job["latency"].shape
                    index = pd.MultiIndex.from_product([[job_id], range(repeats), range(calls)], names=["job", "repeat", "call"])
                    frames.append(pd.DataFrame({"latency_ns": job["latency"][:].ravel()}, index=index).reset_index())
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def array(self, job, name):
        """predictions, labels, logits or latency of one job as a numpy array, or None."""
        with h5py.File(self.path) as file:
            group = dict(self._jobs(file))[job]
            return group[name][:] if name in group else None

    def class_names(self, job):
        """The names of the classes of a job's data set, or their numbers."""
        with h5py.File(self.path) as file:
            group = dict(self._jobs(file))[job]
            return list(_frame(group["class_names"])["name"]) if "class_names" in group else list(range(int(group.attrs["classes"])))

    def confusion(self, job):
        """How often each class (row) was taken for each other (column)."""
        labels, predictions, names = self.array(job, "labels"), self.array(job, "predictions"), self.class_names(job)
        counts = pd.crosstab(labels, predictions).reindex(index=range(len(names)), columns=range(len(names)), fill_value=0)
        return counts.set_axis(names, axis=0).set_axis(names, axis=1).rename_axis("is", axis=0).rename_axis("taken for", axis=1)

    def mistakes(self, job):
        """(attributes, picture [height, width, 3]) of the mistakes that the model was surest of, the surest first."""
        with h5py.File(self.path) as file:
            group = dict(self._jobs(file))[job]
            return [(dict(member.attrs), member["picture"][:]) for member in group["mistakes"].values()] if "mistakes" in group else []

    # Plots. Each returns its Axes; `axes` draws into one that is there.

    def plot_latency(self, axes=None):
        """The spread of every job's calls, on a logarithmic scale."""
        latency = self.latency()
        names = list(dict.fromkeys(latency["job"]))
        axes = _axes(axes)
        axes.boxplot([latency.loc[latency["job"] == name, "latency_ns"] / 1e6 for name in names], vert=False, showfliers=False, whis=(1, 99))
        axes.set_yticklabels(names)
        axes.set_xscale("log")
        axes.set_xlabel("latency of a call, ms (box: quartiles; whiskers: 1st and 99th percentile)")
        return axes

    def plot_accuracy(self, axes=None):
        """Accuracy against median latency, with the Pareto front of each batch size."""
        axes = _axes(axes)
        jobs = self.jobs()
        if "top1" in jobs:
            jobs = jobs.dropna(subset=["top1", "latency_p50_ns"])
            for batch, group in jobs.groupby("batch"):
                points = axes.scatter(group["latency_p50_ns"] / 1e6, 100 * group["top1"], label=f"batch {batch}")
                front = pareto_front(group)
                axes.plot(front["latency_p50_ns"] / 1e6, 100 * front["top1"], color=points.get_facecolor()[0])
            for name, job in jobs.iterrows():
                axes.annotate(name, (job["latency_p50_ns"] / 1e6, 100 * job["top1"]), textcoords="offset points", xytext=(5, 3), fontsize="small")
            axes.legend()
        axes.set_xscale("log")
        axes.set_xlabel("median latency of a call, ms")
        axes.set_ylabel("top-1, %")
        return axes

    def plot_layers(self, job, most=15, axes=None):
        """The slowest layers of a job."""
        layers = self.table("layers")
        layers = layers[layers["job"] == job].nlargest(most, "time_ns")[::-1]
        axes = _axes(axes)
        axes.barh(layers["name"], layers["time_ns"] / 1e3)
        axes.set_xlabel("median time of a call, µs")
        return axes

    def plot_training(self, column="top1", axes=None):
        """A column of the training table over the epochs, a line a job."""
        axes = _axes(axes)
        training = self.table("training")
        for job, rows in training.groupby("job", sort=False) if len(training) else ():
            axes.plot(rows["epoch"], rows[column], marker=".", label=job)
        axes.set_xlabel("epoch")
        axes.set_ylabel(column)
        if len(training):
            axes.legend()
        return axes

    def tables(self):
        """All tables by name: what is exported."""
        every = {"jobs": self.jobs().reset_index(), "latency": self.latency(), **{name: self.table(name) for name in TABLES + GROUPS}}
        return {name: frame for name, frame in every.items() if len(frame)}

    def export(self, folder, kind="parquet"):
        """One file a table, Parquet or CSV; returns their paths."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        made = []
        for name, frame in self.tables().items():
            made.append(folder / f"{name}.{kind}")
            frame.to_parquet(made[-1], index=False) if kind == "parquet" else frame.to_csv(made[-1], index=False)
        return made


def pareto_front(jobs, cost="latency_p50_ns", gain="top1"):
    """The rows that no other row beats in both, the cheapest first."""
    jobs = jobs.sort_values([cost, gain], ascending=[True, False])
    return jobs[jobs[gain] > jobs[gain].cummax().shift(fill_value=float("-inf"))]


def _axes(axes):
    if axes is not None:
        return axes
    import matplotlib.pyplot as plt
    return plt.subplots(figsize=(8, 4), layout="constrained")[1]


def main():
    parser = argparse.ArgumentParser(description="A results file as one Parquet or CSV file a table.")
    parser.add_argument("file")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--parquet", metavar="DIR", help="needs pyarrow: pip install pyarrow")
    where.add_argument("--csv", metavar="DIR")
    arguments = parser.parse_args()
    run = Run(arguments.file)
    for path in run.export(arguments.parquet, "parquet") if arguments.parquet else run.export(arguments.csv, "csv"):
        print(path)


if __name__ == "__main__":
    main()
