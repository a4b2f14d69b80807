"""Reads a results file of tests/results/sample_run.hpp with plain h5py, as a user would. Usage: h5py_reads_it.py FILE"""
import sys

import h5py
import numpy as np

with h5py.File(sys.argv[1], "r") as file:
    schema = file.attrs["schema"]
    assert isinstance(schema, str) and schema == "edgelab/1", repr(schema)

    # The NeXus trail: every default names a child, the last group says what to plot.
    group = file
    while "default" in group.attrs:
        group = group[group.attrs["default"]]
    assert group.name == "/jobs/serial", group.name
    assert group.attrs["NX_class"] == "NXdata"
    latency = group[group.attrs["signal"]]
    assert list(group.attrs["axes"]) == [".", "."]
    assert latency.shape == (2, 64) and latency.dtype == np.int64, latency
    assert latency.attrs["units"] == "ns" and isinstance(latency.attrs["description"], str)

    provenance = file["provenance"]
    assert provenance.attrs["complete"] == 1
    assert provenance.attrs["git_commit"] == "0123456789abcdef"
    libraries = {row["name"].decode(): row["version"].decode() for row in provenance["libraries"]}
    assert libraries == {"oneDNN": "3.7.2", "HDF5": "1.10.8"}, libraries
    assert "temperature_celsius" in file["hosts/pi-0"].attrs and "temperature_celsius" not in file["hosts/pi-1"].attrs
    assert file["links/latency_ns"].shape == (2, 2)

    # In the order of the job file, with '/' escaped in the name and whole in the attribute.
    assert list(file["jobs"]) == ["serial", "grid[precision=int8,attention=flash]", "pruned", "after%2Fpruned"], list(file["jobs"])
    assert file["jobs/after%2Fpruned"].attrs["id"] == "after/pruned"

    job = file["jobs/serial"]
    assert job.attrs["task"] == "infer" and job.attrs["status"] == "done" and job.attrs["attempts"] == 2 and job.attrs["reason"] == ""
    assert job["config"].asstr()[()].startswith("id: serial\n") and "größer" in job["config"].asstr()[()]
    assert job["model"].attrs["arch"] == "mobilenet_v2"
    summary = dict(job["summary"].attrs)
    assert summary["top1"] == 0.9453125 and summary["latency_p50_ns"] == 4_100_000 and "energy_joules" not in summary
    assert job["predictions"].dtype == np.int32 and job["labels"].shape == (64,)
    assert job["logits"].dtype == np.float32 and job["logits"].shape == (64, 10)
    layers = job["layers"][:]
    assert layers.dtype.names[:9] == ("name", "op", "requested_dtype", "effective_dtype", "implementation", "refused", "time_ns", "bytes", "sparsity")
    assert layers["name"][3].decode() == "features.3.conv" and layers["time_ns"].dtype == np.int64
    assert len(job["layers"].attrs["units"]) == len(layers.dtype.names) and job["layers"].attrs["units"][6] == "ns"
    assert job["expectations"][1]["met"] == 0 and job["expectations"][1]["bound"] == 2.0
    assert job["ranks/1"].attrs["host"] == "pi-1" and job["ranks/1"].attrs["compute_ns"] == 23_000_000
    assert job["telemetry"][0]["frequency_hz"] == 1.5e9 and job["training"].shape == (2,)
    assert file["jobs/pruned"].attrs["status"] == "failed" and "latency" not in file["jobs/pruned"]

    # Every object can be opened and read to its end, as viewers do that walk the tree, and every dataset is described.
    def read(name, item):
        assert all(value is not None for value in item.attrs.values()), name
        if isinstance(item, h5py.Dataset):
            assert "units" in item.attrs and item.attrs["description"], name
            assert item[()].nbytes == item.nbytes if item.shape else item[()] is not None, name

    file.visititems(read)
print("h5py", h5py.__version__, "reads it")
