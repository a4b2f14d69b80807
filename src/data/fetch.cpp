#include "data/fetch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <system_error>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"
#include "data/cifar.hpp"
#include "data/lookup.hpp"
#include "data/unpack.hpp"

namespace edgelab::data {
namespace {

namespace fs = std::filesystem;

// Five times CIFAR's size unpacked (184 MB).
constexpr std::uint64_t kMaxUnpackedBytes = 1ull << 30;

// Holds a folder for one fetch at a time, by the kernel's lock on the folder itself: no file to leave behind.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder) : opened_(open_file(folder, O_RDONLY | O_DIRECTORY)) {
    if (!opened_.open()) throw file_error("the folder can't be opened", folder, errno);
    // Other errors mean a file system without such locks; fetching there is still right for one at a time.
    if (flock(opened_.number(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      throw Error(ErrorKind::environment, "another fetch into this folder is under way")
          .at({folder.string()})
          .hint("wait for it to end");
    }
  }

 private:
  FileDescriptor opened_;
};

bool complete(const CifarLayout& layout, const fs::path& folder) {
  return has_cifar_files(layout, folder, Split::train) && has_cifar_files(layout, folder, Split::test);
}

// "got … expected …" of the first checksum that differs, or empty.
struct Mismatch {
  std::string kind, got, expected;
};

Mismatch verify(const ArchiveEntry& entry, const fs::path& file) {
  if (!entry.sha256.empty()) {
    if (const std::string sum = sha256_of_file(file); sum != entry.sha256) return {"sha256", sum, entry.sha256};
  }
  if (!entry.md5.empty()) {
    if (const std::string sum = md5_of_file(file); sum != entry.md5) return {"md5", sum, entry.md5};
  }
  return {};
}

// Downloads until the checksum is right. Bytes of an earlier attempt may be of another version of the archive, so after
// a resumed download that doesn't fit it starts once more from nothing.
bool download_verified(const ArchiveEntry& entry, const fs::path& part, const Progress& progress) {
  for (bool retried = false;; retried = true) {
    const bool resumed = download(entry.url, part, progress).resumed;
    const Mismatch mismatch = verify(entry, part);
    if (mismatch.kind.empty()) return resumed;
    remove_whole(part);
    if (resumed && !retried) {
      log::warning("the resumed download has the wrong checksum; starting again");
      continue;
    }
    throw Error(ErrorKind::data, fmt::format("the archive has the wrong {} checksum", mismatch.kind))
        .at({entry.url})
        .got(mismatch.got)
        .expected(mismatch.expected)
        .hint("try again; if it stays so, the file at this address is not the one that edgelab knows");
  }
}

void unpack_into_place(const CifarLayout& layout, const fs::path& archive, const fs::path& root) {
  const fs::path unpacked = root / fmt::format(".unpack-{}", layout.folder);
  remove_whole(unpacked);  // a killed fetch's
  make_folders(unpacked);
  try {
    unpack(archive, unpacked, kMaxUnpackedBytes);
    if (!complete(layout, unpacked / layout.folder)) {
      throw Error(ErrorKind::data, "the archive doesn't hold the data set's files")
          .at({archive.string()})
          .expected(fmt::format("{}/", layout.folder));
    }
    sync_folder(unpacked / layout.folder);
    rename_and_sync(unpacked / layout.folder, root / layout.folder);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(unpacked, ignored);
    throw;
  }
  remove_whole(unpacked);
}

}  // namespace

FetchResult fetch_dataset(const ArchiveEntry& entry, const fs::path& root, const Progress& progress) {
  const CifarLayout* layout = entry.dataset == "shapes10" ? nullptr : cifar_layout_of(entry.dataset);
  if (layout == nullptr) {
    throw Error(ErrorKind::usage, "this data set can't be fetched")
        .got(fmt::format("'{}'", entry.dataset))
        .expected("cifar10 or cifar100");
  }
  const fs::path folder = root / layout->folder;
  if (complete(*layout, folder)) return {folder, true, false};
  make_folders(root);
  const FolderLock lock(root);
  if (complete(*layout, folder)) return {folder, true, false};
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(folder, ignored))) {
    throw Error(ErrorKind::environment, "a folder is in the way, without all of the data set's files")
        .at({folder.string()})
        .hint("move it away, or give another --dir");
  }
  const fs::path part = root / fmt::format("{}.tar.gz.part", layout->folder);
  const bool resumed = download_verified(entry, part, progress);
  try {
    unpack_into_place(*layout, part, root);
  } catch (const Error& failure) {
    // A sound checksum on an archive that can't be used: keeping it would only fail again.
    if (failure.kind() == ErrorKind::data) remove_whole(part);
    throw;
  }
  remove_whole(part);
  sync_folder(root);
  return {folder, false, resumed};
}

}  // namespace edgelab::data
