#include "data/unpack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/expect_error.hpp"
#include "data/sample_archive.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::data {
namespace {

namespace fs = std::filesystem;
using edgelab::test::TemporaryDirectory;
using test::message_of;
using test::SampleEntry;
using testing::HasSubstr;

constexpr std::uint64_t kPlenty = 1 << 20;

class Unpack : public testing::Test {
 protected:
  // Unpacks an archive of these entries into root/inside/deep.
  void unpack_these(const std::vector<SampleEntry>& entries, std::uint64_t max_bytes = kPlenty) {
    fs::create_directories(folder_);
    test::write_archive(archive_, entries);
    unpack(archive_, folder_, max_bytes);
  }
  std::string refusal_of(const std::vector<SampleEntry>& entries, std::uint64_t max_bytes = kPlenty) {
    return message_of(ErrorKind::data, [&] { unpack_these(entries, max_bytes); });
  }

  TemporaryDirectory root_;
  fs::path folder_ = root_ / "inside/deep", archive_ = root_ / "a.tar.gz";
};

TEST_F(Unpack, WritesFilesAndFolders) {
  unpack_these({{.name = "top/", .type = AE_IFDIR},
                {.name = "top/a.bin", .content = "hello"},
                {.name = "./top/new/b.bin", .content = ""}});
  EXPECT_EQ(test::bytes_of(folder_ / "top/a.bin").size(), 5u);
  EXPECT_TRUE(fs::is_regular_file(folder_ / "top/new/b.bin"));
}

TEST_F(Unpack, RefusesNamesThatLeaveTheFolder) {
  for (const char* name : {"../x", "a/../../x", "..", "../../inside/x"}) {
    EXPECT_THAT(refusal_of({{.name = name, .content = "evil"}}), HasSubstr("leaves the folder")) << name;
  }
  EXPECT_FALSE(fs::exists(root_ / "inside/x"));
  EXPECT_FALSE(fs::exists(root_ / "x"));
}

TEST_F(Unpack, RefusesAbsoluteNames) {
  const std::string target = (root_ / "absolute").string();
  EXPECT_THAT(refusal_of({{.name = target, .content = "evil"}}), HasSubstr("absolute name"));
  EXPECT_FALSE(fs::exists(target));
}

TEST_F(Unpack, RefusesLinksOfBothKinds) {
  EXPECT_THAT(refusal_of({{.name = "way", .symlink = root_.path().string()}, {.name = "way/x", .content = "evil"}}),
              HasSubstr("is a link"));
  EXPECT_FALSE(fs::exists(root_ / "x"));
  EXPECT_THAT(refusal_of({{.name = "copy", .hardlink = "/etc/hostname"}}), HasSubstr("is a link"));
  EXPECT_THAT(refusal_of({{.name = "pipe", .type = AE_IFIFO}}), HasSubstr("neither a file nor a folder"));
}

TEST_F(Unpack, DoesNotWriteThroughALinkThatIsAlreadyThere) {
  fs::create_directories(folder_);
  fs::create_symlink(root_ / "target", folder_ / "file");
  EXPECT_THAT(refusal_of({{.name = "file", .content = "evil"}}), HasSubstr("twice"));
  EXPECT_FALSE(fs::exists(root_ / "target"));
}

TEST_F(Unpack, RefusesMoreBytesThanAllowed) {
  unpack_these({{.name = "fits", .content = std::string(100, 'x')}}, 100);
  EXPECT_THAT(
      refusal_of({{.name = "a", .content = std::string(60, 'x')}, {.name = "b", .content = std::string(60, 'x')}}, 100),
      HasSubstr("too large"));
}

TEST_F(Unpack, RefusesANameThatComesTwice) {
  EXPECT_THAT(refusal_of({{.name = "a", .content = "1"}, {.name = "a", .content = "2"}}), HasSubstr("twice"));
}

TEST_F(Unpack, RefusesWhatIsNoArchive) {
  fs::create_directories(folder_);
  test::write_text(archive_, "this is not an archive, however long it goes on");
  EXPECT_THAT(message_of(ErrorKind::data, [&] { unpack(archive_, folder_, kPlenty); }), HasSubstr("a.tar.gz"));
}

TEST_F(Unpack, RefusesAnArchiveCutAnywhere) {
  fs::create_directories(folder_);
  std::string content;
  for (int i = 0; i < 30000; ++i) content += static_cast<char>(i * i % 251);
  test::write_archive(archive_, {{.name = "a", .content = content}});
  const auto whole = test::bytes_of(archive_);
  ASSERT_GT(whole.size(), 200u);
  for (std::size_t size = 20; size < whole.size() - 60; size += whole.size() / 12) {
    const fs::path cut = root_ / "cut.tar.gz", target = root_ / ("cut" + std::to_string(size));
    fs::create_directories(target);
    test::write_bytes(cut, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_THROW(unpack(cut, target, kPlenty), Error) << size << " of " << whole.size();
  }
}

}  // namespace
}  // namespace edgelab::data
