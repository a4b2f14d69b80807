#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "source_tree.hpp"

namespace edgelab::tree {
namespace {

// The compiler and options of the first source of `folder`, from the build's own compile_commands.json; "" if there is
// none. CMake writes one "command" a line.
std::string compiler_of(const std::string& folder) {
  const auto build = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::ifstream file(build / "compile_commands.json");
  const std::string key = "\"command\": \"";
  const std::string object = " -o ";
  for (std::string line; std::getline(file, line);) {
    const std::size_t start = line.find(key);
    const std::size_t end = line.find(object);
    if (start == std::string::npos || end == std::string::npos) continue;
    if (line.find("-c " + (source_root() / folder).string() + "/") == std::string::npos || line.find(" -x cu ") != std::string::npos) continue;
    std::string command;
    for (std::size_t at = start + key.size(); at < end; ++at) {
      if (line[at] == '\\') ++at;  // JSON's escapes of quotes and backslashes
      command += line[at];
    }
    return command;
  }
  return "";
}

std::set<std::string> folders() {
  std::set<std::string> all;
  for (const SourceFile& source : sources()) all.insert(source.folder);
  return all;
}

// name.cpp that begins with name.hpp has shown, by being built, that the header compiles alone.
bool shown_by_its_source(const SourceFile& header) {
  const std::string source_path = header.path.substr(0, header.path.size() - 4) + ".cpp";
  for (const SourceFile& source : sources()) {
    if (source.path == source_path) return !source.includes.empty() && source.includes.front().name == header.path;
  }
  return false;
}

class Headers : public ::testing::TestWithParam<std::string> {};

// One run of the compiler for the other headers of a folder: each is a translation unit of its own, parsed and no more.
TEST_P(Headers, CompileAlone) {
  const std::string compiler = compiler_of(GetParam());
  ASSERT_FALSE(compiler.empty()) << "no source of src/" << GetParam() << " in compile_commands.json beside this program";
  std::string command = compiler + " -fsyntax-only -w -x c++";
  int headers = 0;
  for (const SourceFile& source : sources()) {
    if (source.folder != GetParam() || !source.header() || shown_by_its_source(source)) continue;
    command += " '" + (source_root() / source.path).string() + "'";
    ++headers;
  }
  if (headers == 0) return;
  const int status = std::system(command.c_str());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command;
}

INSTANTIATE_TEST_SUITE_P(Of, Headers, ::testing::ValuesIn(folders()), [](const auto& tested) { return tested.param; });

TEST(EachHeader, IsGuarded) {
  for (const SourceFile& source : sources()) {
    if (!source.header()) continue;
    std::ifstream file(source_root() / source.path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    // Highway's files are included once for each instruction set and have a toggle instead.
    const std::string guard = source.path.ends_with("-inl.hpp") ? "HWY_TARGET_TOGGLE" : "#pragma once";
    EXPECT_NE(text.find(guard), std::string::npos) << "src/" << source.path;
  }
}

}  // namespace
}  // namespace edgelab::tree
