#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "core/file.hpp"
#include "support/temporary_directory.hpp"
#include "support/tight_disk.hpp"

namespace edgelab {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;
using test::TightDisk;
using testing::AllOf;
using testing::HasSubstr;

void put(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

template <class Work>
std::string refusal_of(ErrorKind kind, const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(FileError, SaysInWordsThatTheDiskIsFullAndWhatToDo) {
  EXPECT_STREQ(file_error("the file can't be read", "a/b", EACCES).what(),
               "a/b: error: the file can't be read: Permission denied");
  for (const int code : {ENOSPC, EDQUOT}) {
    EXPECT_THAT(write_error("it can't be written", "a/b", code).what(),
                AllOf(HasSubstr("a/b: error: it can't be written: the disk is full"), HasSubstr("make room")));
  }
  EXPECT_THAT(write_error("it can't be written", "a/b", EFBIG).what(), HasSubstr("make room"));
  EXPECT_THAT(write_error("it can't be written", "a/b", EROFS).what(), HasSubstr("name another place"));
}

TEST(WriteAll, GivesTheErrnoOfWhatStoppedIt) {
  const FileDescriptor full = open_file("/dev/full", O_WRONLY);
  ASSERT_TRUE(full.open());
  EXPECT_EQ(write_all(full.number(), bytes_of("x")), ENOSPC);
  EXPECT_EQ(write_all(full.number(), {}), 0);
  EXPECT_EQ(write_all(-1, bytes_of("x")), EBADF);
}

TEST(FileDescriptor, ClosesWhatItHoldsOnceAndHandsItOverWhole) {
  const TemporaryDirectory folder;
  FileDescriptor first = open_file(folder / "a", O_WRONLY | O_CREAT);
  const int number = first.number();
  FileDescriptor second(std::move(first));
  EXPECT_EQ(second.number(), number);
  EXPECT_EQ(fcntl(number, F_GETFD), FD_CLOEXEC);
  second = FileDescriptor();
  EXPECT_FALSE(second.open());
  EXPECT_EQ(fcntl(number, F_GETFD), -1);
}

TEST(ReplaceFile, PutsTheNewBytesInPlaceOfTheOldAndLeavesNoPart) {
  const TemporaryDirectory folder;
  replace_file(folder / "k", "first");
  EXPECT_EQ(text_of(folder / "k"), "first");
  replace_file(folder / "k", bytes_of("2nd"));
  EXPECT_EQ(text_of(folder / "k"), "2nd");
  replace_file(folder / "k", "");
  EXPECT_EQ(text_of(folder / "k"), "");
  EXPECT_FALSE(fs::exists(folder / "k.part"));
}

TEST(ReplaceFile, LeavesTheOldFileAndNoPartWhenTheDiskRefusesTheNewOne) {
  const TemporaryDirectory folder;
  replace_file(folder / "k", "old");
  {
    const TightDisk disk(1000);
    EXPECT_THAT(refusal_of(ErrorKind::environment, [&] { replace_file(folder / "k", std::string(5000, 'n')); }),
                AllOf(HasSubstr((folder / "k").string()), HasSubstr("make room")));
  }
  EXPECT_EQ(text_of(folder / "k"), "old");
  EXPECT_FALSE(fs::exists(folder / "k.part"));
  replace_file(folder / "k", std::string(5000, 'n'));
  EXPECT_EQ(text_of(folder / "k").size(), 5000u);
}

TEST(ReplaceFile, LeavesNoPartWhenTheNameBelongsToAFolder) {
  const TemporaryDirectory folder;
  make_folders(folder / "k/below");
  EXPECT_THAT(refusal_of(ErrorKind::environment, [&] { replace_file(folder / "k", "x"); }), HasSubstr("replaced"));
  EXPECT_TRUE(fs::exists(folder / "k/below"));
  EXPECT_FALSE(fs::exists(folder / "k.part"));
}

TEST(ReplaceFile, DoesNotWriteThroughWhatIsPlantedAtThePartsName) {
  const TemporaryDirectory folder;
  put(folder / "victim", "precious");
  const std::function<void(const fs::path&)> plants[] = {
      [&](const fs::path& part) { fs::create_symlink(folder / "victim", part); },
      [&](const fs::path& part) { fs::create_hard_link(folder / "victim", part); },
      [&](const fs::path& part) { ASSERT_EQ(mkfifo(part.c_str(), 0600), 0); },
  };
  for (const auto& plant : plants) {
    plant(folder / "k.part");
    replace_file(folder / "k", "x");
    EXPECT_EQ(text_of(folder / "k"), "x");
    EXPECT_FALSE(fs::exists(folder / "k.part"));
    EXPECT_EQ(text_of(folder / "victim"), "precious");
    remove_whole(folder / "k");
  }
}

TEST(PartFile, IsUnderItsNameOnlyOnceCommitted) {
  const TemporaryDirectory folder;
  put(folder / "k", "old");
  put(folder / "k.part", "what a killed writer left, longer than the new bytes");
  PartFile file(folder / "k");
  file.write(bytes_of("new "));
  file.write(bytes_of("bytes"));
  EXPECT_EQ(text_of(folder / "k"), "old");
  EXPECT_EQ(text_of(folder / "k.part"), "new bytes");
  file.commit();
  EXPECT_EQ(text_of(folder / "k"), "new bytes");
  EXPECT_FALSE(fs::exists(folder / "k.part"));
}

TEST(PartFile, DroppedUncommittedItIsGoneAndTheOldFileStands) {
  const TemporaryDirectory folder;
  put(folder / "k", "old");
  { PartFile(folder / "k").write(bytes_of("new")); }
  EXPECT_EQ(text_of(folder / "k"), "old");
  EXPECT_FALSE(fs::exists(folder / "k.part"));
}

TEST(PartFile, OnceCommittedItTouchesNoPartOfALaterWriter) {
  const TemporaryDirectory folder;
  {
    PartFile file(folder / "k");
    file.commit();
    put(folder / "k.part", "another's");
  }
  EXPECT_EQ(text_of(folder / "k.part"), "another's");
}

TEST(OutputFile, CreatesOnlyWhatIsNotThereAndFollowsNoLink) {
  const TemporaryDirectory folder;
  put(folder / "there", "precious");
  fs::create_symlink(folder / "there", folder / "link");
  fs::create_symlink(folder / "nowhere", folder / "dangling");
  for (const char* name : {"there", "link", "dangling"}) {
    EXPECT_THAT(refusal_of(ErrorKind::environment, [&] { OutputFile(folder / name, OutputFile::Mode::create_new); }),
                HasSubstr((folder / name).string()));
  }
  EXPECT_EQ(text_of(folder / "there"), "precious");
  EXPECT_FALSE(fs::exists(folder / "nowhere"));
  OutputFile file(folder / "new", OutputFile::Mode::create_new);
  file.write(bytes_of("abc"));
  file.sync();
  EXPECT_EQ(text_of(folder / "new"), "abc");
}

TEST(OutputFile, GoesOnBehindWhatIsThereAndCanStartOver) {
  const TemporaryDirectory folder;
  put(folder / "a", "abc");
  OutputFile file(folder / "a", OutputFile::Mode::append);
  EXPECT_EQ(file.size(), 3u);
  file.write(bytes_of("de"));
  EXPECT_EQ(file.size(), 5u);
  EXPECT_EQ(text_of(folder / "a"), "abcde");
  file.truncate();
  EXPECT_EQ(file.size(), 0u);
  file.write(bytes_of("x"));
  EXPECT_EQ(text_of(folder / "a"), "x");
}

TEST(OutputFile, SaysThatTheDiskIsFull) {
  OutputFile file("/dev/full", OutputFile::Mode::append);
  EXPECT_THAT(refusal_of(ErrorKind::environment, [&] { file.write(bytes_of("x")); }), HasSubstr("the disk is full"));
}

TEST(ReadFile, GivesTheWholeFileUpToItsBoundAndRefusesOneByteMore) {
  const TemporaryDirectory folder;
  put(folder / "five", "abcde");
  const std::vector<std::uint8_t> bytes = read_file(folder / "five", 5);
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "abcde");
  EXPECT_THAT(refusal_of(ErrorKind::data, [&] { read_file(folder / "five", 4); }),
              AllOf(HasSubstr("5 bytes"), HasSubstr("at most 4")));
  put(folder / "none", "");
  EXPECT_TRUE(read_file(folder / "none", 0).empty());
}

TEST(ReadFile, RefusesWhatIsNoFileWithoutWaitingForIt) {
  const TemporaryDirectory folder;
  refusal_of(ErrorKind::environment, [&] { read_file(folder / "missing", 10); });
  refusal_of(ErrorKind::environment, [&] { read_file(folder.path(), 10); });
  refusal_of(ErrorKind::environment, [&] { read_file("/dev/zero", 10); });
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  refusal_of(ErrorKind::environment, [&] { read_file(folder / "pipe", 10); });
}

TEST(ReadFile, FollowsALinkUnlessToldNotTo) {
  const TemporaryDirectory folder;
  put(folder / "file", "abc");
  fs::create_symlink(folder / "file", folder / "link");
  EXPECT_EQ(read_file(folder / "link", 10).size(), 3u);
  EXPECT_THAT(refusal_of(ErrorKind::environment, [&] { read_file(folder / "link", 10, Links::refuse); }),
              HasSubstr("this is a link"));
  EXPECT_EQ(read_file(folder / "file", 10, Links::refuse).size(), 3u);
}

TEST(InputFile, IsReadPieceByPiece) {
  const TemporaryDirectory folder;
  put(folder / "file", "abcde");
  InputFile file(folder / "file");
  EXPECT_EQ(file.size(), 5u);
  std::vector<std::uint8_t> piece(3);
  EXPECT_EQ(file.read(piece), 3u);
  EXPECT_EQ(file.read(piece), 2u);
  EXPECT_EQ(file.read(piece), 0u);
}

TEST(SyncFolder, TakesAFolderAndNothingElse) {
  const TemporaryDirectory folder;
  put(folder / "file", "x");
  sync_folder(folder.path());
  sync_folder_of(folder / "file");
  sync_folder_of("a_name_without_a_folder");
  refusal_of(ErrorKind::environment, [&] { sync_folder(folder / "file"); });
  refusal_of(ErrorKind::environment, [&] { sync_folder_of(folder / "none/file"); });
}

TEST(Folders, AreMadeRenamedAndRemovedWhole) {
  const TemporaryDirectory folder;
  make_folders(folder / "a/b");
  make_folders(folder / "a/b");
  put(folder / "a/b/file", "x");
  rename_and_sync(folder / "a", folder / "c");
  EXPECT_FALSE(fs::exists(folder / "a"));
  EXPECT_EQ(text_of(folder / "c/b/file"), "x");
  remove_whole(folder / "c");
  EXPECT_FALSE(fs::exists(folder / "c"));
  remove_whole(folder / "c");
}

TEST(Folders, RefuseWhatTheKernelRefuses) {
  const TemporaryDirectory folder;
  put(folder / "file", "x");
  EXPECT_THAT(refusal_of(ErrorKind::environment, [&] { make_folders(folder / "file/below"); }),
              HasSubstr("can't be made"));
  EXPECT_THAT(refusal_of(ErrorKind::environment, [&] { rename_and_sync(folder / "none", folder / "b"); }),
              HasSubstr("new name"));
  EXPECT_EQ(rename_file(folder / "none", folder / "b"), ENOENT);
  EXPECT_EQ(remove_file(folder / "none"), ENOENT);
}

}  // namespace
}  // namespace edgelab
