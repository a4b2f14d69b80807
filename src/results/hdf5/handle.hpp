#pragma once

#include <hdf5.h>

#include <stdexcept>
#include <string>
#include <utility>

// HDF5's C calls, each checked in one place. Nothing outside src/results/hdf5 includes this header. HDF5's serial build
// keeps global state and no lock: one thread at a time.
namespace edgelab::results::hdf5 {

// Turned into an Error, with the file's name and who is to blame, where the folder's public functions end.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What HDF5 has on its error stack, innermost cause first, on one line.
std::string take_error_text();

// `doing` reads on after "can't": "open the group 'jobs'".
[[noreturn]] void fail(const std::string& doing);

template <class Result>
Result checked(Result result, const std::string& doing) {
  if (result < 0) fail(doing);
  return result;
}

// HDF5 prints its error stack on stderr by default. While one of these lives it doesn't.
class QuietErrors {
 public:
  QuietErrors();
  ~QuietErrors();
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

// An HDF5 identifier and the call that releases it. Move-only.
class Handle {
 public:
  Handle() = default;
  Handle(hid_t id, herr_t (*close)(hid_t), const std::string& doing) : id_(checked(id, doing)), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  // A failed close loses nothing here: files are written whole from memory, after an explicit, checked flush.
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }

  hid_t id() const { return id_; }

 private:
  hid_t id_ = H5I_INVALID_HID;
  herr_t (*close_)(hid_t) = nullptr;
};

Handle scalar_space();
Handle utf8_type(std::size_t size);  // fixed length, padded with NUL; H5T_VARIABLE for variable length
Handle property_list(hid_t kind);

}  // namespace edgelab::results::hdf5
