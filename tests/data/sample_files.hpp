#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/cifar.hpp"

namespace edgelab::data::test {

inline void write_bytes(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  write_bytes(path, {text.begin(), text.end()});
}

// Record i has label (first + i) % classes, and pixels that all are (first + i) % 256.
inline std::vector<std::uint8_t> cifar_records(const CifarLayout& layout, int first, int count) {
  std::vector<std::uint8_t> bytes;
  for (int i = first; i < first + count; ++i) {
    bytes.insert(bytes.end(), layout.label_bytes - 1, 99);  // the coarse label, which is not the one used
    bytes.push_back(static_cast<std::uint8_t>(i % layout.classes));
    bytes.insert(bytes.end(), CifarLayout::kPixelBytes, static_cast<std::uint8_t>(i % 256));
  }
  return bytes;
}

// A whole small data set: `each` records in every file of both splits, numbered from 0 in each split.
inline void write_cifar(const CifarLayout& layout, const std::filesystem::path& folder, int each) {
  for (const Split split : {Split::train, Split::test}) {
    int first = 0;
    for (const std::string_view name : layout.files(split)) {
      write_bytes(folder / name, cifar_records(layout, first, each));
      first += each;
    }
  }
}

// Sets an environment variable as long as it lives.
class EnvironmentVariable {
 public:
  EnvironmentVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before, had_ = true;
    setenv(name, value.c_str(), 1);
  }
  ~EnvironmentVariable() { had_ ? setenv(name_, before_.c_str(), 1) : unsetenv(name_); }
  EnvironmentVariable(const EnvironmentVariable&) = delete;
  EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;

 private:
  const char* name_;
  std::string before_;
  bool had_ = false;
};

}  // namespace edgelab::data::test
