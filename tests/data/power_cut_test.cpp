// A data set that was fetched or drawn is there whole after a power cut; one in the making is not there at all.

#include "support/power_cut.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "data/fetch.hpp"
#include "data/generate.hpp"
#include "data/local_http_server.hpp"
#include "data/sample_archive.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::data {
namespace {

namespace fs = std::filesystem;
using edgelab::test::DiskModel;
using edgelab::test::DiskState;
using edgelab::test::RecordedDisk;
using edgelab::test::TemporaryDirectory;

// What `make` does to an empty folder, checked after every cut: FOLDER is absent or whole, and once it is made, there.
template <class Make>
void expect_whole_or_absent(const std::string& folder, const Make& make) {
  const TemporaryDirectory work;
  std::optional<RecordedDisk> disk(work.path());
  make(work.path());
  const DiskModel model = disk->model();
  disk.reset();
  const DiskState whole = edgelab::test::disk_state_of(work / folder);
  EXPECT_FALSE(whole.empty());
  edgelab::test::after_every_cut(model, 4, [&](const fs::path& root, std::size_t changes) {
    if (!fs::exists(root / folder)) {
      EXPECT_LT(changes, model.changes());
      return;
    }
    EXPECT_TRUE(edgelab::test::disk_state_of(root / folder) == whole) << "cut after change " << changes;
  });
}

TEST(PowerCut, AFetchedDataSetIsWholeOrAbsent) {
  const TemporaryDirectory work;
  const test::EnvironmentVariable direct("no_proxy", "127.0.0.1");
  test::write_archive(work / "made.tar.gz", test::cifar_entries());
  test::ServerManners manners;
  manners.body = test::bytes_of(work / "made.tar.gz");
  const test::LocalHttpServer server(manners);
  const ArchiveEntry entry{"cifar10", server.url(), "", sha256_of_file(work / "made.tar.gz")};
  expect_whole_or_absent("data/cifar-10-batches-bin",
                         [&](const fs::path& root) { fetch_dataset(entry, root / "data", {}); });
}

TEST(PowerCut, ADrawnDataSetIsWholeOrAbsent) {
  expect_whole_or_absent("drawn",
                         [](const fs::path& root) { generate_shapes10(root / "drawn", {.train = 5, .test = 1}); });
}

}  // namespace
}  // namespace edgelab::data
