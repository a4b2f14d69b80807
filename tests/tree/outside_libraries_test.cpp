#include <gtest/gtest.h>

#include "source_tree.hpp"

namespace edgelab::tree {
namespace {

// Each outside library behind few doors: who may include it. A library not listed here is free.
const std::map<std::string, std::set<std::string>>& owners() {
  static const std::map<std::string, std::set<std::string>> table = {
      {"mpi.h", {"parallel"}},
      {"boost/mpi", {"parallel"}},
      {"boost/serialization", {"parallel"}},
      {"boost/graph", {"batch"}},
      {"hdf5.h", {"results"}},
      {"yaml-cpp", {"batch", "data"}},
      {"oneapi/dnnl", {"kernels"}},
      {"dnnl.hpp", {}},
      {"hwy", {"kernels"}},
      {"spdlog", {"core"}},
      {"CLI", {"app"}},
      {"curl", {"data"}},
      {"archive.h", {"data"}},
      {"png.h", {"data"}},
      {"turbojpeg.h", {"data"}},
  };
  return table;
}

bool belongs_to(const std::string& include, const std::string& library) {
  return include == library || include.compare(0, library.size() + 1, library + "/") == 0;
}

// What takes long to compile and so must not spread through headers.
bool heavy(const std::string& include) {
  if (include == "nlohmann/json.hpp") return true;
  constexpr const char* kLibraries[] = {"mpi.h", "boost", "hdf5.h", "yaml-cpp", "oneapi/dnnl", "spdlog", "CLI"};
  return std::any_of(std::begin(kLibraries), std::end(kLibraries), [&](const char* library) { return belongs_to(include, library); });
}

// Headers that include something heavy, themselves or through others.
std::set<std::string> heavy_headers() {
  std::set<std::string> found;
  for (bool grown = true; grown;) {
    grown = false;
    for (const SourceFile& source : sources()) {
      if (!source.header() || found.contains(source.path)) continue;
      const bool carries = std::any_of(source.includes.begin(), source.includes.end(),
                                       [&](const Include& include) { return heavy(include.name) || found.contains(include.name); });
      if (carries) grown = found.insert(source.path).second;
    }
  }
  return found;
}

// The rest of the tree is built where there is no CUDA.
TEST(OutsideLibraries, OfCudaAreIncludedByTheDevicesSourcesAlone) {
  for (const SourceFile& source : sources()) {
    for (const Include& include : source.includes) {
      const bool cudas = include.name.starts_with("cu") && !include.quoted && include.name != "curl/curl.h";
      EXPECT_TRUE(!cudas || source.device()) << place(source, include.line) << " includes " << include.name;
      EXPECT_TRUE(!include.name.ends_with(".cuh") || source.device()) << place(source, include.line) << " includes " << include.name;
    }
    EXPECT_TRUE(!source.device() || source.path.starts_with("kernels/cuda/")) << source.path;
  }
}

TEST(OutsideLibraries, AreIncludedByTheirOwnersOnly) {
  for (const SourceFile& source : sources()) {
    if (source.path == "app/library_versions.cpp") continue;  // asks each library for its version
    for (const Include& include : source.includes) {
      for (const auto& [library, folders] : owners()) {
        if (!belongs_to(include.name, library)) continue;
        EXPECT_TRUE(folders.contains(source.folder)) << place(source, include.line) << " includes " << include.name;
      }
    }
  }
}

// A heavy header may be wrapped (mpi_check.hpp, handle.hpp …) for headers of its own folder and for any .cpp, no further.
TEST(OutsideLibraries, StayOutOfTheHeadersOfOtherFolders) {
  const std::set<std::string> carriers = heavy_headers();
  for (const SourceFile& source : sources()) {
    if (!source.header()) continue;
    for (const Include& include : source.includes) {
      const bool foreign = include.name.substr(0, include.name.find('/')) != source.folder;
      EXPECT_FALSE(foreign && carriers.contains(include.name)) << place(source, include.line) << " drags in what " << include.name << " includes";
    }
  }
}

TEST(OutsideLibraries, AreIncludedDirectlyByFewHeaders) {
  const std::set<std::string> allowed = {
      "kernels/onednn/onednn.hpp",
      "models/safetensors/header_events.hpp",
      "parallel/archive.hpp",
      "parallel/mpi_check.hpp",
      "results/hdf5/handle.hpp",
      "results/json/encoding.hpp",
  };
  for (const SourceFile& source : sources()) {
    if (!source.header() || allowed.contains(source.path)) continue;
    for (const Include& include : source.includes) EXPECT_FALSE(heavy(include.name)) << place(source, include.line) << " includes " << include.name;
  }
}

}  // namespace
}  // namespace edgelab::tree
