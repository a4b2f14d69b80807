#include <gtest/gtest.h>

#include "source_tree.hpp"

namespace edgelab::tree {
namespace {

TEST(SourceTree, IsFound) {
  ASSERT_GT(sources().size(), 20u) << source_root();
  std::size_t includes = 0;
  for (const SourceFile& source : sources()) includes += source.includes.size();
  EXPECT_GT(includes, 50u);
}

TEST(Levels, ListsEveryFolderOfTheSources) {
  for (const SourceFile& source : sources()) EXPECT_TRUE(levels().contains(source.folder)) << "src/" << source.path << ": a folder without a level";
}

TEST(Levels, AreThoseOfTheArchitectureDocument) {
  std::ifstream file(std::filesystem::path(EDGELAB_SOURCE_DIR) / "docs" / "architecture.md");
  ASSERT_TRUE(file) << "docs/architecture.md is missing";
  std::map<std::string, int> documented;  // rows "| 9 | `src/app` | …"
  for (std::string line; std::getline(file, line);) {
    const std::size_t folder = line.find("`src/");
    if (line.size() < 4 || line[0] != '|' || folder == std::string::npos || line.find_first_of("0123456789") > folder) continue;
    documented[line.substr(folder + 5, line.find('`', folder + 5) - folder - 5)] = std::stoi(line.substr(line.find_first_of("0123456789")));
  }
  for (const auto& [folder, level] : documented) {
    ASSERT_TRUE(levels().contains(folder)) << folder;
    EXPECT_EQ(levels().at(folder), level) << folder;
  }
  for (const SourceFile& source : sources()) EXPECT_TRUE(documented.contains(source.folder)) << source.folder << " is not in docs/architecture.md";
}

TEST(Includes, GoDownTheLevelsOnly) {
  for (const SourceFile& source : sources()) {
    for (const Include& include : source.includes) {
      const std::string folder = include.name.substr(0, include.name.find('/'));
      if (!include.quoted || folder == source.folder || !levels().contains(folder) || !levels().contains(source.folder)) continue;
      EXPECT_LT(levels().at(folder), levels().at(source.folder)) << place(source, include.line) << " includes " << include.name;
    }
  }
}

TEST(Includes, AreWrittenFromTheSourceFolder) {
  std::set<std::string> paths = {"git_state.hpp"};  // made by the build
  for (const SourceFile& source : sources()) paths.insert(source.path);
  for (const SourceFile& source : sources()) {
    for (const Include& include : source.includes) {
      EXPECT_TRUE(!include.quoted || paths.contains(include.name)) << place(source, include.line) << ": no src/" << include.name;
    }
  }
}

TEST(Files, StaySmall) {
  for (const SourceFile& source : sources()) EXPECT_LE(source.lines, 450) << "src/" << source.path;
}

}  // namespace
}  // namespace edgelab::tree
