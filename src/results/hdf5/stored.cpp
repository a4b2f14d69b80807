#include "results/hdf5/stored.hpp"

#include <cstring>

#include "results/hdf5/table.hpp"

namespace edgelab::results::hdf5 {
namespace {

bool one_element(const Handle& space) { return H5Sget_simple_extent_npoints(space.id()) == 1; }

// `read` fills a buffer of the memory type that it is given.
template <class Read>
std::string text_from(hid_t type, const std::string& where, hsize_t file_size, Read read) {
  if (H5Tget_class(type) != H5T_STRING) throw Failure("'" + where + "' is not a string");
  if (H5Tis_variable_str(type) > 0) {
    char* held = nullptr;
    read(type, &held);
    std::string text = held == nullptr ? "" : held;
    H5free_memory(held);
    return text;
  }
  const std::size_t size = H5Tget_size(type);
  if (size == 0 || size > file_size)
    throw Failure("'" + where + "' claims " + std::to_string(size) + " bytes, more than the file has");
  std::string text(size, '\0');
  read(type, text.data());
  text.resize(strnlen(text.data(), size));
  return text;
}

Value number_from(hid_t attribute, hid_t type, const std::string& where, Kind kind) {
  const H5T_class_t type_class = H5Tget_class(type);
  if (kind == Kind::real && (type_class == H5T_FLOAT || type_class == H5T_INTEGER)) {
    double number = 0;
    checked(H5Aread(attribute, H5T_NATIVE_DOUBLE, &number), "read '" + where + "'");
    return number;
  }
  // h5py writes flags as an enumeration of small integers.
  if (type_class != H5T_INTEGER && !(kind == Kind::flag && type_class == H5T_ENUM)) {
    throw Failure("'" + where + (kind == Kind::real ? "' is not a number" : "' is not an integer"));
  }
  std::int64_t number = 0;
  if (type_class == H5T_ENUM) {
    std::vector<std::byte> bytes(H5Tget_size(type));
    checked(H5Aread(attribute, type, bytes.data()), "read '" + where + "'");
    for (const std::byte byte : bytes) number |= std::to_integer<std::int64_t>(byte);
  } else {
    checked(H5Aread(attribute, H5T_NATIVE_INT64, &number), "read '" + where + "'");
  }
  if (kind == Kind::flag) return number != 0;
  return number;
}

}  // namespace

bool has_link(hid_t group, const std::string& name) {
  if (checked(H5Lexists(group, name.c_str(), H5P_DEFAULT), "look for '" + name + "'") == 0) return false;
  H5L_info_t info{};
  checked(H5Lget_info(group, name.c_str(), &info, H5P_DEFAULT), "look at '" + name + "'");
  if (info.type != H5L_TYPE_HARD) throw Failure("'" + name + "' is a link to somewhere else");
  return true;
}

Handle open_group(hid_t parent, const std::string& name) {
  if (!has_link(parent, name)) throw Failure("the group '" + name + "' is missing");
  return {H5Gopen2(parent, name.c_str(), H5P_DEFAULT), &H5Gclose, "open the group '" + name + "'"};
}

Handle open_dataset(hid_t parent, const std::string& name) {
  return {H5Dopen2(parent, name.c_str(), H5P_DEFAULT), &H5Dclose, "open the dataset '" + name + "'"};
}

std::vector<std::string> child_names(hid_t group, hsize_t file_size) {
  H5G_info_t info{};
  checked(H5Gget_info(group, &info), "read a group");
  if (info.nlinks > file_size)
    throw Failure("a group claims " + std::to_string(info.nlinks) + " members, more than the file has bytes");
  const Handle plist(H5Gget_create_plist(group), &H5Pclose, "read the properties of a group");
  unsigned order = 0;
  checked(H5Pget_link_creation_order(plist.id(), &order), "read the order of a group");
  const H5_index_t index = (order & H5P_CRT_ORDER_TRACKED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
  std::vector<std::string> names;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const ssize_t length = checked(H5Lget_name_by_idx(group, ".", index, H5_ITER_INC, i, nullptr, 0, H5P_DEFAULT),
                                   "read the name of a member");
    if (static_cast<hsize_t>(length) > file_size)
      throw Failure("a group has a member with a name longer than the file");
    std::string name(static_cast<std::size_t>(length) + 1, '\0');
    checked(H5Lget_name_by_idx(group, ".", index, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT),
            "read the name of a member");
    name.pop_back();
    names.push_back(std::move(name));
  }
  return names;
}

Value read_attribute(hid_t object, const std::string& where, const FieldInfo& field, hsize_t file_size) {
  const std::string name = where + "/@" + field.name;
  if (checked(H5Aexists(object, field.name), "look for '" + name + "'") == 0) {
    if (field.required) throw Failure("'" + name + "' is missing");
    return {};
  }
  const Handle attribute(H5Aopen(object, field.name, H5P_DEFAULT), &H5Aclose, "open '" + name + "'");
  const Handle type(H5Aget_type(attribute.id()), &H5Tclose, "read the type of '" + name + "'");
  const Handle space(H5Aget_space(attribute.id()), &H5Sclose, "read the extent of '" + name + "'");
  if (!one_element(space)) throw Failure("'" + name + "' is not a single value");
  if (field.kind != Kind::text && field.kind != Kind::status)
    return number_from(attribute.id(), type.id(), name, field.kind);
  return text_from(type.id(), name, file_size, [&](hid_t memory, void* buffer) {
    checked(H5Aread(attribute.id(), memory, buffer), "read '" + name + "'");
  });
}

std::string read_text(const Handle& dataset, const std::string& where, hsize_t file_size) {
  const Handle type(H5Dget_type(dataset.id()), &H5Tclose, "read the type of '" + where + "'");
  const Handle space(H5Dget_space(dataset.id()), &H5Sclose, "read the extent of '" + where + "'");
  if (!one_element(space)) throw Failure("'" + where + "' is not a single value");
  return text_from(type.id(), where, file_size, [&](hid_t memory, void* buffer) {
    checked(H5Dread(dataset.id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer), "read '" + where + "'");
  });
}

std::vector<hsize_t> array_extents(const Handle& dataset, const std::string& where, bool real, std::size_t axes,
                                   hsize_t file_size) {
  const Handle type(H5Dget_type(dataset.id()), &H5Tclose, "read the type of '" + where + "'");
  const H5T_class_t type_class = H5Tget_class(type.id());
  if (type_class != (real ? H5T_FLOAT : H5T_INTEGER))
    throw Failure(std::string("its elements are not ") + (real ? "floating-point numbers" : "integers"));
  bounded_elements(dataset.id(), where, H5Tget_size(type.id()), file_size);
  const Handle space(H5Dget_space(dataset.id()), &H5Sclose, "read the extents of '" + where + "'");
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if (rank != static_cast<int>(axes))
    throw Failure("it has " + std::to_string(rank) + " axes, not " + std::to_string(axes));
  std::vector<hsize_t> extents(axes);
  checked(H5Sget_simple_extent_dims(space.id(), extents.data(), nullptr), "read the extents of '" + where + "'");
  return extents;
}

}  // namespace edgelab::results::hdf5
