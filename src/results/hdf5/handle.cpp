#include "results/hdf5/handle.hpp"

namespace edgelab::results::hdf5 {
namespace {

herr_t add_line(unsigned, const H5E_error2_t* error, void* text) {
  auto& line = *static_cast<std::string*>(text);
  // The outer frames only repeat "can't open object" in other words.
  if (error->desc == nullptr || line.size() > 200) return 0;
  if (!line.empty()) line += "; ";
  line += error->desc;
  return 0;
}

}  // namespace

std::string take_error_text() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, &add_line, &text);
  H5Eclear2(H5E_DEFAULT);
  return text;
}

void fail(const std::string& doing) {
  const std::string why = take_error_text();
  throw Failure("HDF5 can't " + doing + (why.empty() ? "" : ": " + why));
}

QuietErrors::QuietErrors() {
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

QuietErrors::~QuietErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

Handle scalar_space() { return {H5Screate(H5S_SCALAR), &H5Sclose, "make a scalar data space"}; }

Handle utf8_type(std::size_t size) {
  Handle type(H5Tcopy(H5T_C_S1), &H5Tclose, "make a string type");
  checked(H5Tset_size(type.id(), size), "size a string type");
  checked(H5Tset_cset(type.id(), H5T_CSET_UTF8), "mark a string type as UTF-8");
  if (size != H5T_VARIABLE) checked(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), "pad a string type");
  return type;
}

Handle property_list(hid_t kind) { return {H5Pcreate(kind), &H5Pclose, "make a property list"}; }

}  // namespace edgelab::results::hdf5
