#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "support/temporary_directory.hpp"

namespace edgelab::test {

// A folder that stands for "/", filled with what the kernel would tell.
class HostRoot {
 public:
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((directory_ / path).parent_path());
    std::ofstream(directory_ / path) << text;
  }
  void write_program(const std::string& path, const std::string& text) const {
    write(path, text);
    std::filesystem::permissions(directory_ / path, std::filesystem::perms::owner_all);
  }
  std::filesystem::path path() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
};

}  // namespace edgelab::test
