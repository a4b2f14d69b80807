#pragma once

#include <cstddef>
#include <vector>

#include "results/hdf5/handle.hpp"
#include "results/schema/schema.hpp"

// Tables are compound datasets: h5py gives a structured array, pandas a DataFrame of it. Strings have a fixed length, that
// of the longest in the column, because PyTables and MATLAB refuse variable-length ones inside compounds.
namespace edgelab::results::hdf5 {

template <class Row>
std::vector<FieldInfo> columns_of() {
  std::vector<FieldInfo> columns;
  for (const auto& field : Schema<Row>::fields) columns.push_back(info_of(field));
  return columns;
}

// Rows on their way into a file.
class TableImage {
 public:
  TableImage(std::vector<FieldInfo> columns, std::size_t rows);
  void add_row(const std::vector<Value>& values);

  const std::vector<FieldInfo>& columns() const { return columns_; }
  Handle type() const;                    // packed, as in the file
  std::vector<std::byte> packed() const;  // rows of type()

 private:
  std::vector<FieldInfo> columns_;
  std::vector<std::size_t> sizes_;  // bytes of each column so far
  std::vector<std::vector<Value>> rows_;
};

// Rows on their way out of a file: one vector of values a row, monostate for a column that the file lacks.
// `storage_limit` bounds what may be allocated, bytes. Throws Failure.
std::vector<std::vector<Value>> read_table(hid_t dataset, const std::string& name,
                                           const std::vector<FieldInfo>& columns, hsize_t storage_limit);

// Elements of the dataset, after checking that they can be in the file: at most `file_size` bytes as stored, and for
// compressed chunks no more than deflate's 1,032-fold. Throws Failure.
std::size_t bounded_elements(hid_t dataset, const std::string& name, std::size_t element_size, hsize_t file_size);

}  // namespace edgelab::results::hdf5
