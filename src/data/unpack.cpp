#include "data/unpack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"

// libarchive reads the archive; the files are written here, not by its archive_write_disk: that one's safety flags refuse
// a destination with a symbolic link above it (a home folder often has one) and it neither syncs nor counts bytes.
namespace edgelab::data {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxEntries = 10'000;
constexpr std::size_t kPiece = 1u << 20;

struct Unpacking {
  fs::path archive;
  std::unique_ptr<struct archive, decltype(&archive_read_free)> reader{archive_read_new(), &archive_read_free};
  std::uint64_t bytes_left = 0;
};

Error refused(const Unpacking& unpacking, const std::string& entry, const std::string& why) {
  return Error(ErrorKind::data, fmt::format("the archive's entry '{}' {}", entry, why))
      .at({unpacking.archive.string()})
      .expected("plain files and folders inside the archive's own folder")
      .hint("don't trust this archive");
}

// Besides ARCHIVE_OK, a warning leaves the entry readable (a name in a foreign character set, say).
bool next_header(Unpacking& unpacking, archive_entry** entry) {
  const int code = archive_read_next_header(unpacking.reader.get(), entry);
  if (code == ARCHIVE_EOF) return false;
  if (code == ARCHIVE_OK || code == ARCHIVE_WARN) return true;
  const char* reason = archive_error_string(unpacking.reader.get());
  throw Error(ErrorKind::data, fmt::format("the archive can't be read: {}", reason ? reason : "it is broken"))
      .at({unpacking.archive.string()});
}

fs::path checked_name(const Unpacking& unpacking, archive_entry* entry) {
  const char* name = archive_entry_pathname(entry);
  if (name == nullptr || *name == '\0') throw refused(unpacking, "", "has no name");
  const fs::path path(name);
  if (path.is_absolute()) throw refused(unpacking, name, "has an absolute name");
  for (const fs::path& part : path) {
    if (part == "..") throw refused(unpacking, name, "leaves the folder");
  }
  if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr)
    throw refused(unpacking, name, "is a link");
  if (archive_entry_filetype(entry) != AE_IFREG && archive_entry_filetype(entry) != AE_IFDIR) {
    throw refused(unpacking, name, "is neither a file nor a folder");
  }
  return path.lexically_normal();
}

void write_file(Unpacking& unpacking, const fs::path& target, const std::string& name) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(target, ignored))) throw refused(unpacking, name, "stands there twice");
  OutputFile file(target, OutputFile::Mode::create_new);
  std::vector<std::uint8_t> piece(kPiece);
  while (true) {
    const la_ssize_t got = archive_read_data(unpacking.reader.get(), piece.data(), piece.size());
    if (got == 0) break;
    if (got < 0) {
      const char* reason = archive_error_string(unpacking.reader.get());
      throw Error(ErrorKind::data,
                  fmt::format("the archive's entry '{}' can't be read: {}", name, reason ? reason : "it is broken"))
          .at({unpacking.archive.string()});
    }
    if (static_cast<std::uint64_t>(got) > unpacking.bytes_left)
      throw refused(unpacking, name, "makes the archive too large");
    unpacking.bytes_left -= static_cast<std::uint64_t>(got);
    file.write(std::as_bytes(std::span(piece).first(static_cast<std::size_t>(got))));
  }
  file.sync();
}

}  // namespace

void unpack(const fs::path& archive, const fs::path& folder, std::uint64_t max_bytes) {
  Unpacking unpacking;
  unpacking.archive = archive;
  unpacking.bytes_left = max_bytes;
  struct archive* reader = unpacking.reader.get();
  // Few formats: each is code that meets bytes from outside.
  const bool ready = reader != nullptr && archive_read_support_filter_gzip(reader) == ARCHIVE_OK &&
                     archive_read_support_format_tar(reader) == ARCHIVE_OK;
  if (!ready) throw Error(ErrorKind::environment, "libarchive can't be started");
  if (archive_read_open_filename(reader, archive.c_str(), kPiece) != ARCHIVE_OK) {
    throw Error(ErrorKind::data, fmt::format("the archive can't be read: {}", archive_error_string(reader)))
        .at({archive.string()});
  }
  archive_entry* entry = nullptr;
  for (int count = 0; next_header(unpacking, &entry); ++count) {
    const fs::path name = checked_name(unpacking, entry);
    if (count >= kMaxEntries)
      throw refused(unpacking, name.string(), fmt::format("is one of more than {}", kMaxEntries));
    if (archive_entry_filetype(entry) == AE_IFDIR) {
      make_folders(folder / name);
    } else {
      make_folders((folder / name).parent_path());
      write_file(unpacking, folder / name, name.string());
    }
  }
}

}  // namespace edgelab::data
