#pragma once

#include <string>
#include <vector>

#include "results/hdf5/handle.hpp"
#include "results/schema/field.hpp"

// Reading single things out of a file that may be anybody's. All throw Failure, naming the thing.
namespace edgelab::results::hdf5 {

// Only hard links count: a soft or external one could lead to another file.
bool has_link(hid_t group, const std::string& name);
Handle open_group(hid_t parent, const std::string& name);
Handle open_dataset(hid_t parent, const std::string& name);

// Names of the links in a group, in the order of their making where the file tells it.
std::vector<std::string> child_names(hid_t group, hsize_t file_size);

// monostate if there is none and it isn't required.
Value read_attribute(hid_t object, const std::string& where, const FieldInfo& field, hsize_t file_size);
std::string read_text(const Handle& dataset, const std::string& where, hsize_t file_size);

// Extents of a numeric dataset with `axes` axes, whose elements can be in the file.
std::vector<hsize_t> array_extents(const Handle& dataset, const std::string& where, bool real, std::size_t axes,
                                   hsize_t file_size);

}  // namespace edgelab::results::hdf5
