"""Asks h5grove, the server behind h5web in JupyterLab, for all that h5web asks for when it opens a results file of
tests/results/sample_run.hpp and somebody clicks through it. Usage: h5web_reads_it.py FILE"""
import importlib.metadata
import json
import sys

from h5grove.content import get_content_from_file, get_list_of_paths
from h5grove.encoders import encode


def refused(status, message):
    return RuntimeError(f"{status}: {message}")


def asked(path, what):
    """What the server sends for a path: its metadata, attributes or data, as JSON that a browser can read."""
    with get_content_from_file(sys.argv[1], path, refused) as content:
        return json.loads(encode(getattr(content, what)()).content)


with get_list_of_paths(sys.argv[1], "/", refused) as names:
    paths = list(names)
assert len(paths) > 50, paths
datasets = 0
for path in paths:
    metadata = asked(path, "metadata")
    attributes = asked(path, "attributes")
    assert {attribute["name"] for attribute in metadata["attributes"]} == set(attributes), path
    if metadata["kind"] == "dataset":
        datasets += 1
        assert asked(path, "data") is not None and attributes["description"], path
assert datasets > 10, datasets

# What is drawn when the file is opened: the defaults lead to an NXdata group that names its signal.
path = "/"
while "default" in (attributes := asked(path, "attributes")):
    path = f"{path.rstrip('/')}/{attributes['default']}"
assert path == "/jobs/serial" and attributes["NX_class"] == "NXdata", path
signal = f"{path}/{attributes['signal']}"
assert asked(signal, "metadata")["shape"] == [2, 64]
with get_content_from_file(sys.argv[1], signal, refused) as content:
    # h5web takes arrays as bytes, in a type that JavaScript has.
    sent = encode(content.data(dtype="safe", flatten=True), "bin").content
assert len(sent) == 2 * 64 * 8, len(sent)
print("h5grove", importlib.metadata.version("h5grove"), "serves", len(paths), "entities")
