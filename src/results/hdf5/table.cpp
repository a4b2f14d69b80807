#include "results/hdf5/table.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "results/schema/text.hpp"

namespace edgelab::results::hdf5 {
namespace {

std::size_t size_of_kind(Kind kind) {
  switch (kind) {
    case Kind::text:
    case Kind::status: return 1;  // grows with the column
    case Kind::integer32: return 4;
    case Kind::integer64:
    case Kind::real: return 8;
    case Kind::flag: return 1;
  }
  return 1;
}

bool is_text(Kind kind) { return kind == Kind::text || kind == Kind::status; }

hid_t number_type(Kind kind) {
  switch (kind) {
    case Kind::integer32: return H5T_NATIVE_INT32;
    case Kind::real: return H5T_NATIVE_DOUBLE;
    case Kind::flag: return H5T_NATIVE_UINT8;
    default: return H5T_NATIVE_INT64;
  }
}

void put(std::byte* place, std::size_t size, const FieldInfo& column, const Value& value) {
  if (is_text(column.kind)) {
    const std::string& text = std::get<std::string>(value);
    std::memcpy(place, text.data(), std::min(size, text.size()));
  } else if (column.kind == Kind::real) {
    std::memcpy(place, &std::get<double>(value), sizeof(double));
  } else if (column.kind == Kind::flag) {
    *place = std::byte{std::get<bool>(value)};
  } else if (column.kind == Kind::integer32) {
    const auto number = static_cast<std::int32_t>(std::get<std::int64_t>(value));
    std::memcpy(place, &number, sizeof number);
  } else {
    std::memcpy(place, &std::get<std::int64_t>(value), sizeof(std::int64_t));
  }
}

// One column of a file's table, and where it goes in memory.
struct Source {
  std::size_t column;  // index in the schema
  std::size_t offset;  // in the row in memory
  std::size_t size;
};

Value take(const std::byte* place, const Source& source, Kind kind) {
  if (is_text(kind)) {
    const auto* text = reinterpret_cast<const char*>(place);
    return std::string(text, strnlen(text, source.size));
  }
  if (kind == Kind::real) {
    double number = 0;
    std::memcpy(&number, place, sizeof number);
    return number;
  }
  std::int64_t number = 0;
  std::memcpy(&number, place, sizeof number);
  if (kind == Kind::flag) return number != 0;
  return number;
}

Handle member_type(hid_t table, unsigned index) {
  return {H5Tget_member_type(table, index), &H5Tclose, "read the type of a column"};
}

// The type of the column in memory; the size says how many bytes it takes there.
Handle column_type(const Handle& stored, const FieldInfo& column, const std::string& where) {
  const H5T_class_t type_class = H5Tget_class(stored.id());
  if (is_text(column.kind)) {
    if (type_class != H5T_STRING || H5Tis_variable_str(stored.id()) > 0)
      throw Failure(where + " is not a fixed-length string");
    return {H5Tcopy(stored.id()), &H5Tclose, "copy a string type"};
  }
  const bool fits = type_class == H5T_INTEGER || (column.kind == Kind::real && type_class == H5T_FLOAT);
  if (!fits) throw Failure(where + (column.kind == Kind::real ? " is not a number" : " is not an integer"));
  return {H5Tcopy(column.kind == Kind::real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64), &H5Tclose, "copy a number type"};
}

}  // namespace

TableImage::TableImage(std::vector<FieldInfo> columns, std::size_t rows) : columns_(std::move(columns)) {
  for (const FieldInfo& column : columns_) sizes_.push_back(size_of_kind(column.kind));
  rows_.reserve(rows);
}

void TableImage::add_row(const std::vector<Value>& values) {
  std::vector<Value>& row = rows_.emplace_back(values);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!is_text(columns_[i].kind)) continue;
    auto& text = std::get<std::string>(row[i]);
    text = clean_utf8(text);
    sizes_[i] = std::max(sizes_[i], text.size());
  }
}

Handle TableImage::type() const {
  Handle type(H5Tcreate(H5T_COMPOUND, std::accumulate(sizes_.begin(), sizes_.end(), std::size_t{0})), &H5Tclose,
              "make a table type");
  std::size_t offset = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const bool text = is_text(columns_[i].kind);
    const Handle member =
        text ? utf8_type(sizes_[i]) : Handle(H5Tcopy(number_type(columns_[i].kind)), &H5Tclose, "copy a number type");
    checked(H5Tinsert(type.id(), columns_[i].name, offset, member.id()),
            std::string("add the column '") + columns_[i].name + "'");
    offset += sizes_[i];
  }
  return type;
}

std::vector<std::byte> TableImage::packed() const {
  const std::size_t row_size = std::accumulate(sizes_.begin(), sizes_.end(), std::size_t{0});
  std::vector<std::byte> bytes(row_size * rows_.size());
  std::byte* place = bytes.data();
  for (const std::vector<Value>& row : rows_) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      put(place, sizes_[i], columns_[i], row[i]);
      place += sizes_[i];
    }
  }
  return bytes;
}

std::size_t bounded_elements(hid_t dataset, const std::string& name, std::size_t element_size, hsize_t file_size) {
  const Handle space(H5Dget_space(dataset), &H5Sclose, "read the extents of '" + name + "'");
  const hssize_t elements = checked(H5Sget_simple_extent_npoints(space.id()), "read the extents of '" + name + "'");
  const hsize_t stored = H5Dget_storage_size(dataset);
  const Handle plist(H5Dget_create_plist(dataset), &H5Pclose, "read the layout of '" + name + "'");
  const hsize_t expansion = H5Pget_layout(plist.id()) == H5D_CHUNKED ? 1032 : 1;
  if (stored > file_size ||
      static_cast<hsize_t>(elements) > stored * expansion / std::max<std::size_t>(1, element_size)) {
    throw Failure("'" + name + "' claims " + std::to_string(elements) + " elements of " + std::to_string(element_size) +
                  " bytes, the file has " + std::to_string(file_size) + " bytes in all");
  }
  return static_cast<std::size_t>(elements);
}

std::vector<std::vector<Value>> read_table(hid_t dataset, const std::string& name,
                                           const std::vector<FieldInfo>& columns, hsize_t storage_limit) {
  const Handle stored(H5Dget_type(dataset), &H5Tclose, "read the type of '" + name + "'");
  if (H5Tget_class(stored.id()) != H5T_COMPOUND) throw Failure("'" + name + "' is not a table");
  const std::size_t count = bounded_elements(dataset, name, H5Tget_size(stored.id()), storage_limit);

  std::vector<Source> sources;
  std::vector<Handle> types;
  std::size_t row_size = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const int index = H5Tget_member_index(stored.id(), columns[i].name);
    if (index < 0) {
      take_error_text();
      if (columns[i].required) throw Failure("the table '" + name + "' has no column '" + columns[i].name + "'");
      continue;
    }
    types.push_back(column_type(member_type(stored.id(), static_cast<unsigned>(index)), columns[i],
                                "column '" + std::string(columns[i].name) + "' of '" + name + "'"));
    sources.push_back({i, row_size, H5Tget_size(types.back().id())});
    row_size += sources.back().size;
  }

  const Handle memory(H5Tcreate(H5T_COMPOUND, std::max<std::size_t>(1, row_size)), &H5Tclose, "make a table type");
  for (std::size_t i = 0; i < sources.size(); ++i) {
    checked(H5Tinsert(memory.id(), columns[sources[i].column].name, sources[i].offset, types[i].id()),
            "make a table type");
  }
  std::vector<std::byte> bytes(row_size * count);
  if (count > 0)
    checked(H5Dread(dataset, memory.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()),
            "read the table '" + name + "'");

  std::vector<std::vector<Value>> rows(count, std::vector<Value>(columns.size()));
  for (std::size_t row = 0; row < count; ++row) {
    for (const Source& source : sources) {
      rows[row][source.column] =
          take(bytes.data() + row * row_size + source.offset, source, columns[source.column].kind);
    }
  }
  return rows;
}

}  // namespace edgelab::results::hdf5
