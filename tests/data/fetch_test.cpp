#include "data/fetch.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/hash.hpp"
#include "data/dataset.hpp"
#include "data/expect_error.hpp"
#include "data/local_http_server.hpp"
#include "data/sample_archive.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::data {
namespace {

namespace fs = std::filesystem;
using edgelab::test::TemporaryDirectory;
using test::LocalHttpServer;
using test::message_of;
using test::ServerManners;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Fetch : public testing::Test {
 protected:
  // The manners of a server that has an archive of these entries; checksums_ are set to the archive's.
  ServerManners manners_for(const std::vector<test::SampleEntry>& entries) {
    const fs::path archive = work_ / "made.tar.gz";
    test::write_archive(archive, entries);
    checksums_ = {"cifar10", "", md5_of_file(archive), sha256_of_file(archive)};
    ServerManners manners;
    manners.body = test::bytes_of(archive);
    return manners;
  }
  FetchResult fetch_from(const LocalHttpServer& server, const std::string& path = "/archive.tar.gz") {
    checksums_.url = server.url(path);
    return fetch_dataset(checksums_, root_, {});
  }
  void expect_whole() const {
    const Dataset dataset = open_dataset({.dataset = "cifar10", .path = folder_.string(), .split = Split::train});
    EXPECT_EQ(dataset.size(), 10);
    EXPECT_THAT(names_in_root(), ElementsAre("cifar-10-batches-bin"));
  }
  std::vector<std::string> names_in_root() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  // A proxy in the tester's environment must not come between.
  const test::EnvironmentVariable direct_{"no_proxy", "127.0.0.1"};
  TemporaryDirectory work_;
  fs::path root_ = work_ / "data", folder_ = root_ / "cifar-10-batches-bin",
           part_ = root_ / "cifar-10-batches-bin.tar.gz.part";
  ArchiveEntry checksums_;
};

TEST_F(Fetch, DownloadsVerifiesUnpacksAndLeavesNothingElse) {
  const LocalHttpServer server(manners_for(test::cifar_entries()));
  const FetchResult result = fetch_from(server);
  EXPECT_EQ(result.folder, folder_);
  EXPECT_FALSE(result.already_there);
  EXPECT_FALSE(result.resumed);
  expect_whole();
}

TEST_F(Fetch, AsksNothingOfTheServerWhenTheFilesAreThere) {
  const LocalHttpServer server(manners_for(test::cifar_entries()));
  fetch_from(server);
  EXPECT_TRUE(fetch_from(server).already_there);
  EXPECT_EQ(server.starts().size(), 1u);
}

TEST_F(Fetch, GoesOnWhereABrokenTransferStopped) {
  ServerManners manners = manners_for(test::cifar_entries());
  const std::size_t piece = manners.body.size() / 3 + 1;
  manners.cut_after = piece;
  const LocalHttpServer server(manners);
  EXPECT_TRUE(fetch_from(server).resumed);
  EXPECT_THAT(server.starts(), ElementsAre(0, piece, 2 * piece));
  expect_whole();
}

TEST_F(Fetch, GoesOnFromWhatAnEarlierRunLeft) {
  const ServerManners manners = manners_for(test::cifar_entries());
  test::write_bytes(part_, {manners.body.begin(), manners.body.begin() + 100});
  fs::create_directories(root_ / ".unpack-cifar-10-batches-bin/half");
  const LocalHttpServer server(manners);
  EXPECT_TRUE(fetch_from(server).resumed);
  EXPECT_THAT(server.starts(), ElementsAre(100));
  expect_whole();
}

TEST_F(Fetch, UsesADownloadThatWasCompleteButNotUnpacked) {
  const ServerManners manners = manners_for(test::cifar_entries());
  test::write_bytes(part_, manners.body);
  const LocalHttpServer server(manners);
  EXPECT_TRUE(fetch_from(server).resumed);
  expect_whole();
}

TEST_F(Fetch, StartsAgainWhereTheServerIgnoresRanges) {
  ServerManners manners = manners_for(test::cifar_entries());
  manners.ignore_ranges = true;
  test::write_bytes(part_, {manners.body.begin(), manners.body.begin() + 100});
  const LocalHttpServer server(manners);
  EXPECT_FALSE(fetch_from(server).resumed);
  EXPECT_THAT(server.starts(), ElementsAre(100));
  expect_whole();
}

TEST_F(Fetch, StartsAgainWhereTheBytesOfAnEarlierRunAreOfAnotherFile) {
  const ServerManners manners = manners_for(test::cifar_entries());
  test::write_bytes(part_, std::vector<std::uint8_t>(100, 7));
  const LocalHttpServer server(manners);
  fetch_from(server);
  EXPECT_THAT(server.starts(), ElementsAre(100, 0));
  expect_whole();
}

TEST_F(Fetch, RefusesARangeThatIsNotTheOneAskedFor) {
  ServerManners manners = manners_for(test::cifar_entries());
  manners.range_shift = 5;
  test::write_bytes(part_, {manners.body.begin(), manners.body.begin() + 100});
  const LocalHttpServer server(manners);
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { fetch_from(server); }),
              HasSubstr("got bytes from 105, expected bytes from 100"));
  fetch_from(server);  // nothing is left to go on from
  expect_whole();
}

TEST_F(Fetch, GivesUpOnAServerThatBringsNothingMore) {
  ServerManners manners = manners_for(test::cifar_entries());
  manners.cut_after = 0;
  const LocalHttpServer server(manners);
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { fetch_from(server); }),
              AllOf(HasSubstr("broke off"), HasSubstr("goes on from there")));
  EXPECT_EQ(server.starts().size(), 1u);
}

TEST_F(Fetch, RefusesAWrongChecksumOfEitherKind) {
  const LocalHttpServer server(manners_for(test::cifar_entries()));
  const ArchiveEntry right = checksums_;
  checksums_.sha256.clear();
  checksums_.md5 = std::string(32, '0');
  EXPECT_THAT(message_of(ErrorKind::data, [&] { fetch_from(server); }),
              AllOf(HasSubstr("md5"), HasSubstr("got " + right.md5), HasSubstr("expected " + checksums_.md5)));
  checksums_ = right;
  checksums_.sha256 = std::string(64, '0');
  EXPECT_THAT(message_of(ErrorKind::data, [&] { fetch_from(server); }), HasSubstr("got " + right.sha256));
  EXPECT_TRUE(names_in_root().empty());
}

TEST_F(Fetch, FollowsARedirectButNotForEver) {
  ServerManners manners = manners_for(test::cifar_entries());
  manners.redirect_to = "/archive.tar.gz";
  {
    const LocalHttpServer server(manners);
    fetch_from(server, "/old");
    expect_whole();
  }
  fs::remove_all(root_);
  manners.redirect_to = "/loop";
  const LocalHttpServer server(manners);
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { fetch_from(server, "/loop"); }), HasSubstr("redirects"));
  EXPECT_EQ(server.starts().size(), 6u);
}

TEST_F(Fetch, DoesNotFollowARedirectToAFile) {
  ServerManners manners = manners_for(test::cifar_entries());
  manners.redirect_to = "file:///etc/hostname";
  const LocalHttpServer server(manners);
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { fetch_from(server, "/old"); }),
              HasSubstr("the download failed"));
}

TEST_F(Fetch, SaysWhatTheServerSaid) {
  ServerManners manners = manners_for(test::cifar_entries());
  manners.status = 404;
  const LocalHttpServer server(manners);
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { fetch_from(server); }),
              AllOf(HasSubstr("404"), HasSubstr(server.url())));
}

TEST_F(Fetch, SaysWhenThereIsNoServer) {
  {
    const LocalHttpServer gone(manners_for(test::cifar_entries()));
    checksums_.url = gone.url();
  }
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { fetch_dataset(checksums_, root_, {}); }),
              HasSubstr("on the network?"));
}

TEST_F(Fetch, LeavesNoTraceOfAnArchiveThatWouldWriteElsewhere) {
  auto entries = test::cifar_entries();
  entries.push_back({.name = "../x", .content = "evil"});
  const LocalHttpServer server(manners_for(entries));
  EXPECT_THAT(message_of(ErrorKind::data, [&] { fetch_from(server); }),
              AllOf(HasSubstr("../x"), HasSubstr("leaves the folder")));
  EXPECT_TRUE(names_in_root().empty());
  EXPECT_FALSE(fs::exists(work_ / "x"));
}

TEST_F(Fetch, RefusesAnArchiveWithoutTheDataSetsFiles) {
  const LocalHttpServer server(manners_for({{.name = "cifar-10-batches-bin/test_batch.bin", .content = "x"}}));
  EXPECT_THAT(message_of(ErrorKind::data, [&] { fetch_from(server); }), HasSubstr("doesn't hold"));
  EXPECT_TRUE(names_in_root().empty());
}

TEST_F(Fetch, LeavesAFolderInTheWayAlone) {
  const LocalHttpServer server(manners_for(test::cifar_entries()));
  test::write_text(folder_ / "precious.txt", "x");
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { fetch_from(server); }), HasSubstr("in the way"));
  EXPECT_TRUE(fs::exists(folder_ / "precious.txt"));
}

TEST_F(Fetch, RefusesWhileAnotherFetchIsUnderWay) {
  const LocalHttpServer server(manners_for(test::cifar_entries()));
  fs::create_directories(root_);
  const int other = open(root_.c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(flock(other, LOCK_EX), 0);
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { fetch_from(server); }), HasSubstr("under way"));
  close(other);
  fetch_from(server);
  expect_whole();
}

TEST_F(Fetch, RefusesWhatHasNoArchiveAndAFolderThatCantBeMade) {
  EXPECT_THAT(message_of(ErrorKind::usage,
                         [&] {
                           fetch_dataset({"shapes10", "http://h/x", "", ""}, root_, {});
                         }),
              HasSubstr("cifar10 or cifar100"));
  test::write_text(work_ / "file", "x");
  EXPECT_THAT(message_of(ErrorKind::environment,
                         [&] {
                           fetch_dataset({"cifar10", "http://h/x", "", ""}, work_ / "file/below", {});
                         }),
              HasSubstr("can't be made"));
}

TEST_F(Fetch, SaysWhenTheDiskIsFull) {
  const ServerManners manners = manners_for(test::cifar_entries());
  fs::create_directories(root_);
  fs::create_symlink("/dev/full", part_);
  const LocalHttpServer server(manners);
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { fetch_from(server); }), HasSubstr("the disk is full"));
}

TEST_F(Fetch, TellsItsProgress) {
  const ServerManners manners = manners_for(test::cifar_entries());
  const LocalHttpServer server(manners);
  std::int64_t last = 0, whole = 0;
  checksums_.url = server.url();
  fetch_dataset(checksums_, root_, [&](std::int64_t done, std::int64_t total) {
    last = done;
    whole = total;
  });
  EXPECT_EQ(last, static_cast<std::int64_t>(manners.body.size()));
  EXPECT_EQ(whole, last);
}

}  // namespace
}  // namespace edgelab::data
