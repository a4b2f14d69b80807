#include <gtest/gtest.h>

#include <fstream>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab {
namespace {

// The examples of FIPS 180-4 and RFC 1321.
constexpr const char* kAbcSha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Hash, GivesTheSumsOfTheStandard) {
  EXPECT_EQ(sha256_of_text(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of_text("abc"), kAbcSha256);
  EXPECT_EQ(sha256_of_text(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hash, ReadsAFileLongerThanOnePiece) {
  const test::TemporaryDirectory folder;
  const std::string text(3000001, 'q');
  std::ofstream(folder / "long", std::ios::binary) << text;
  EXPECT_EQ(sha256_of_file(folder / "long"), sha256_of_text(text));
  std::ofstream(folder / "abc", std::ios::binary) << "abc";
  EXPECT_EQ(sha256_of_file(folder / "abc"), kAbcSha256);
  EXPECT_EQ(md5_of_file(folder / "abc"), "900150983cd24fb0d6963f7d28e17f72");
}

TEST(Hash, RefusesAFileThatCantBeRead) {
  const test::TemporaryDirectory folder;
  EXPECT_THROW(sha256_of_file(folder / "missing"), Error);
  EXPECT_THROW(sha256_of_file(folder.path()), Error) << "a folder opens like a file, and must not hash like an empty one";
}

}  // namespace
}  // namespace edgelab
