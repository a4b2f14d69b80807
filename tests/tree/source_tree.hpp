#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace edgelab::tree {

struct Include {
  std::string name;
  bool quoted = false;
  int line = 0;
};

struct SourceFile {
  std::string path;    // from src: "core/error.hpp"
  std::string folder;  // "core"
  int lines = 0;
  std::vector<Include> includes;

  bool header() const { return path.ends_with(".hpp"); }
  bool device() const { return path.ends_with(".cu") || path.ends_with(".cuh"); }  // for nvcc alone
};

inline std::filesystem::path source_root() { return std::filesystem::path(EDGELAB_SOURCE_DIR) / "src"; }

inline SourceFile read_source(const std::filesystem::path& path) {
  SourceFile source;
  source.path = std::filesystem::relative(path, source_root()).generic_string();
  source.folder = source.path.substr(0, source.path.find('/'));
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    ++source.lines;
    const std::size_t hash = line.find_first_not_of(" \t");
    if (hash == std::string::npos || line.compare(hash, 8, "#include") != 0) continue;
    const std::size_t open = line.find_first_of("\"<", hash);
    if (open == std::string::npos) continue;
    const std::size_t close = line.find_first_of("\">", open + 1);
    if (close != std::string::npos) source.includes.push_back({line.substr(open + 1, close - open - 1), line[open] == '"', source.lines});
  }
  return source;
}

// Every .hpp and .cpp below src, and what nvcc compiles, in order of path.
inline const std::vector<SourceFile>& sources() {
  static const std::vector<SourceFile> all = [] {
    std::vector<SourceFile> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(source_root())) {
      const auto extension = entry.path().extension();
      if (entry.is_regular_file() && (extension == ".hpp" || extension == ".cpp" || extension == ".cu" || extension == ".cuh")) found.push_back(read_source(entry.path()));
    }
    std::sort(found.begin(), found.end(), [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
    return found;
  }();
  return all;
}

inline std::string place(const SourceFile& source, int line) { return "src/" + source.path + ":" + std::to_string(line); }

// The levels of docs/architecture.md. A folder includes itself and lower levels.
inline const std::map<std::string, int>& levels() {
  static const std::map<std::string, int> table = {
      {"core", 0},    {"kernels", 1},  {"graph", 2}, {"runtime", 3},  {"data", 4},  {"models", 4}, {"train", 5},
      {"compress", 5}, {"search", 5}, {"results", 6}, {"parallel", 6}, {"tasks", 7}, {"batch", 8}, {"app", 9},
  };
  return table;
}

}  // namespace edgelab::tree
