#!/usr/bin/env python3
"""What MATLAB's functions for HDF5 return, as Octave code that sets `value`: Octave has none of them.

usage: hdf5_as_octave.py info FILE GROUP
       hdf5_as_octave.py attribute FILE OBJECT NAME
       hdf5_as_octave.py data FILE DATASET
"""
import sys

import h5py
import numpy


def literal(value):
    if isinstance(value, (str, bytes)):
        text = value.decode() if isinstance(value, bytes) else value
        return "'" + text.replace("'", "''") + "'"
    if isinstance(value, numpy.ndarray):  # MATLAB counts the dimensions from the other end
        columns = value.T if value.ndim == 2 else value.reshape(-1, 1)
        return "[" + "; ".join(", ".join(map(literal, row)) for row in columns) + "]"
    if isinstance(value, numpy.integer):
        return f"{value.dtype.name}({value})"
    return {"nan": "NaN", "inf": "Inf", "-inf": "-Inf"}.get(str(value), repr(float(value)))


def info(file, path):
    """What the recipe reads of h5info: the groups, and the names of the data sets in each; [] where there are none."""
    print("value.Groups = struct('Name', {}, 'Datasets', {});")
    for number, group in enumerate(file[path].values(), 1):
        names = "; ".join(literal(name) for name, member in group.items() if isinstance(member, h5py.Dataset))
        print(f"value.Groups({number}, 1).Name = {literal(group.name)};")
        print(f"value.Groups({number}, 1).Datasets = " + (f"struct('Name', {{{names}}});" if names else "[];"))


def data(file, path):
    """An array, or of a compound dataset a struct of columns. A column of strings is a character matrix, a string a column."""
    dataset = file[path]
    if dataset.dtype.names is None:
        print(f"value = {literal(dataset[:])};")
        return
    for name in dataset.dtype.names:
        column = dataset[name]
        if column.dtype.kind == "S":
            texts = "; ".join(literal(text.ljust(column.dtype.itemsize, b" ")) for text in column)
            print(f"value.{name} = [{texts}]';")
        else:
            print(f"value.{name} = {literal(column)};")


def main():
    what, path = sys.argv[1:3]
    with h5py.File(path) as file:
        if what == "info":
            info(file, sys.argv[3])
        elif what == "attribute":
            print(f"value = {literal(file[sys.argv[3]].attrs[sys.argv[4]])};")
        else:
            data(file, sys.argv[3])


if __name__ == "__main__":
    main()
