// That the model of a power cut finds what is wrong with the ways of writing that everybody tries first, and that core/file's
// own ways stand up to it.

#include "support/power_cut.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab {
namespace {

using test::DiskModel;
using test::DiskState;
using test::RecordedDisk;
using test::TemporaryDirectory;
using testing::AnyOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Eq;
using testing::Not;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// What may be there after a cut at the very end of `work` in a folder that held `before`.
template <class Work>
std::vector<DiskState> after(const DiskState& before, const Work& work) {
  const TemporaryDirectory folder;
  test::put_disk_state(before, folder.path());
  const RecordedDisk disk(folder.path());
  work(folder.path());
  EXPECT_EQ(disk.model().state(), test::disk_state_of(folder.path()));
  return disk.model().after_cut(disk.model().changes(), 200, 1);
}

void write_in_place(const std::filesystem::path& path, std::string_view text) {
  OutputFile(path, OutputFile::Mode::create_new).write(bytes_of(text));
}

TEST(PowerCut, WhatNobodySyncedMayBeTornAtAnyByteOrZerosOrGone) {
  const auto states = after({}, [](const auto& root) { write_in_place(root / "k", "new"); });
  for (const char* left : {"", "n", "ne", "new"}) EXPECT_THAT(states, Contains(DiskState{{"k", left}}));
  EXPECT_THAT(states, Contains(DiskState{{"k", std::string(3, '\0')}}));
  EXPECT_THAT(states, Contains(DiskState{}));
}

TEST(PowerCut, ANameGivenBeforeTheBytesAreOnDiskMayNameNothing) {
  const auto states = after({{"k", "old"}}, [](const auto& root) {
    write_in_place(root / "k.part", "new");
    rename_and_sync(root / "k.part", root / "k");
  });
  EXPECT_THAT(states, Contains(DiskState{{"k", ""}}));
  EXPECT_THAT(states, Not(Contains(DiskState{{"k", "old"}})));
}

TEST(PowerCut, ANameWhoseFolderNobodySyncedMayBeLost) {
  const auto states = after({}, [](const auto& root) {
    OutputFile file(root / "k", OutputFile::Mode::create_new);
    file.write(bytes_of("new"));
    file.sync();
  });
  EXPECT_THAT(states, ElementsAre(DiskState{}, DiskState{{"k", "new"}}));
}

TEST(PowerCut, APartOfAFileMayReachTheDiskBeforeWhatStandsBeforeIt) {
  const auto states = after({{"k", "0"}}, [](const auto& root) {
    OutputFile file(root / "k", OutputFile::Mode::append);
    file.write(bytes_of("1"));
    file.write(bytes_of("2"));
  });
  EXPECT_THAT(states, Contains(DiskState{{"k", std::string("0\0"
                                                           "2",
                                                           3)}}));
  EXPECT_THAT(states, Contains(DiskState{{"k", "01"}}));
}

TEST(PowerCut, ATruncationMayBeUndone) {
  const auto states =
      after({{"k", "old"}}, [](const auto& root) { truncate_file(open_file(root / "k", O_WRONLY).number(), 1); });
  EXPECT_THAT(states, ElementsAre(DiskState{{"k", "o"}}, DiskState{{"k", "old"}}));
}

TEST(PowerCut, OfTwoRenamesTheSecondMayStandAlone) {
  const auto states = after({{"k", "old"}, {"k.part", "new"}}, [](const auto& root) {
    rename_file(root / "k", root / "k.old");
    rename_file(root / "k.part", root / "k");
  });
  EXPECT_THAT(states, Contains(DiskState{{"k", "new"}}));
}

TEST(PowerCut, ARenameAcrossFoldersMayLeaveTwoNamesOrNone) {
  const DiskState before{{"a", std::nullopt}, {"a/k", "x"}, {"b", std::nullopt}};
  const auto states = after(before, [](const auto& root) { rename_file(root / "a/k", root / "b/k"); });
  EXPECT_EQ(states.size(), 4u);
  EXPECT_THAT(states, Contains(DiskState{{"a", std::nullopt}, {"b", std::nullopt}}));
}

TEST(PowerCut, AReplacedFileIsTheOldOneOrTheNewOneAndOnceDoneTheNewOne) {
  const TemporaryDirectory folder;
  test::put_disk_state({{"k", "old"}}, folder.path());
  std::optional<RecordedDisk> disk(folder.path());
  const std::string text(5000, 'n');
  replace_file(folder / "k", text);
  const DiskModel model = disk->model();
  disk.reset();
  const auto states = test::after_every_cut(model, 100, [&](const auto& root, std::size_t changes) {
    const DiskState state = test::disk_state_of(root);
    ASSERT_EQ(state.count("k"), 1u);
    EXPECT_TRUE(state.at("k") == text || (state.at("k") == "old" && changes < model.changes()));
  });
  EXPECT_GT(states, 20u);
}

TEST(PowerCut, FoldersThatWereMadeAreThere) {
  const auto states = after({}, [](const auto& root) {
    make_folders(root / "a/b/");
    replace_file(root / "a/b/k", "x");
  });
  EXPECT_THAT(states, ElementsAre(DiskState{{"a", std::nullopt}, {"a/b", std::nullopt}, {"a/b/k", "x"}}));
}

TEST(PowerCut, AFileThatWasRenamedAndSyncedIsUnderItsNewName) {
  const auto states =
      after({{"k", "x"}, {"l", "y"}}, [](const auto& root) { rename_and_sync(root / "k", root / "l"); });
  EXPECT_THAT(states, ElementsAre(DiskState{{"l", "x"}}));
}

}  // namespace
}  // namespace edgelab
