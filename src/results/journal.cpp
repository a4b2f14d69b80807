#include "results/journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>

#include "core/error.hpp"

namespace edgelab::results {
namespace {

// A look at who writes (is_written) holds a lock for a moment, and is no run.
constexpr std::chrono::milliseconds kPatience{200}, kAgain{5};

Error just_started(const std::filesystem::path& path) {
  return Error(ErrorKind::environment, "another run has just started to write here")
      .at({path.string()})
      .hint("name another place with --out");
}

bool still_named(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat opened {
  }, named{};
  return ::fstat(file.number(), &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

FileDescriptor open_locked(const std::filesystem::path& path, int flags) {
  FileDescriptor file = open_file(path, flags | O_RDWR | O_NOFOLLOW);
  if (!file.open()) {
    if (errno == EEXIST) throw just_started(path);
    throw write_error("the journal can't be opened", path, errno);
  }
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(kAgain);
      continue;
    }
    if (errno == EWOULDBLOCK) {
      throw Error(ErrorKind::environment, "another run is writing to these results")
          .at({path.string()})
          .hint("wait for it, or name another place with --out");
    }
    throw write_error("the journal can't be locked", path, errno);
  }
  // Between the two calls a run without --resume may have moved the file aside.
  if (!still_named(file, path)) throw just_started(path);
  return file;
}

bool holds_a_line(const std::filesystem::path& journal) {
  std::ifstream file(journal);
  for (std::string line; std::getline(file, line);) {
    if (!file.eof() && parse_journal_line(line)) return true;
  }
  return false;
}

bool there(const std::filesystem::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace

std::filesystem::path journal_path_of(const std::filesystem::path& results_file) {
  std::filesystem::path path = results_file;
  return path.replace_extension(".journal");
}

Journal Journal::create(const std::filesystem::path& path) {
  Journal journal(path, open_locked(path, O_CREAT | O_EXCL | O_APPEND));
  sync_folder_of(path);
  return journal;
}

Journal Journal::append_to(const std::filesystem::path& path) {
  Journal journal(path, open_locked(path, O_APPEND));
  journal.earlier_ = read_journal(path);
  journal.length_ = journal.earlier_.sound_bytes;
  int code = truncate_file(journal.file_.number(), journal.length_);
  if (code != 0) throw write_error("the torn end of the journal can't be cut off", path, code);
  // What was read may be in the page cache only, and so may the file's name: its writer can have been killed before it
  // brought either to disk. Whoever goes on from here tells of both.
  code = journal.sync();
  if (code != 0) throw write_error("the journal can't be brought to disk", path, code);
  sync_folder_of(path);
  for (const LostStretch& stretch : journal.earlier_.lost) journal.append("lost", body_of(stretch));
  return journal;
}

int Journal::sync() {
  const int code = sync_file(file_.number());
  // After a failed fsync the kernel may have dropped the pages: what later lines stand on is unknown.
  if (code != 0)
    broken_ = true;
  else
    synced_ = length_;
  return code;
}

void Journal::append(std::string_view type, std::string_view body, Durability durability) {
  if (broken_)
    throw Error(ErrorKind::environment, "the journal takes no more lines after a failed write").at({path_.string()});
  const auto synced = synced_ == length_ ? std::nullopt : std::optional(synced_);
  const std::string line = journal_line(type, body, synced);
  const std::uint64_t before = length_;
  int code = write_all(file_.number(), std::as_bytes(std::span(line)));
  if (code == 0) {
    length_ += line.size();
    if (durability == Durability::later || (code = sync()) == 0) return;
  }
  length_ = before;
  if (truncate_file(file_.number(), length_) != 0) broken_ = true;
  throw write_error("the journal can't be written", path_, code);
}

void Journal::bring_to_disk() {
  const int code = synced_ == length_ ? 0 : sync();
  if (code != 0) throw write_error("the journal can't be brought to disk", path_, code);
}

void refuse_if_written(const std::filesystem::path& journal) { open_locked(journal, 0); }

bool is_written(const std::filesystem::path& journal) {
  const FileDescriptor file = open_file(journal, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  return file.open() && ::flock(file.number(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

void keep_as_old(const std::filesystem::path& path) {
  if (!there(path)) return;
  std::filesystem::path old = path;
  old += ".old";
  if (std::filesystem::is_directory(std::filesystem::symlink_status(path))) remove_whole(old);  // else the rename replaces it
  // On disk before anything takes its name: a power cut could otherwise leave that alone, and nothing of the earlier file.
  rename_and_sync(path, old);
}

void prepare_output(const std::filesystem::path& results_file, bool resume, const std::vector<std::filesystem::path>& beside) {
  const std::filesystem::path folder =
      results_file.has_parent_path() ? results_file.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::is_directory(folder)) {
    throw Error(ErrorKind::environment, "the folder for the results is missing")
        .at({folder.string()})
        .hint("make it, or name another place with --out");
  }
  const std::filesystem::path journal = journal_path_of(results_file);
  if (journal == results_file) {
    throw Error(ErrorKind::usage, "the results file can't be called *.journal: its journal has that name")
        .at({results_file.string()});
  }
  if (std::filesystem::is_directory(results_file)) {
    throw Error(ErrorKind::environment, "the results file is a folder")
        .at({results_file.string()})
        .hint("name a file with --out");
  }
  if (resume) return;
  // Held while moving, so that a live writer is noticed and two starters can't move each other's files.
  FileDescriptor lock;
  if (there(journal)) lock = open_locked(journal, 0);
  for (const std::filesystem::path& path : beside) keep_as_old(path);
  keep_as_old(results_file);
  // Last: as long as it is here, whoever is killed on the way is followed by one that moves the rest.
  if (there(journal) && !holds_a_line(journal)) {
    remove_file(journal);
  } else {
    keep_as_old(journal);
  }
}

}  // namespace edgelab::results
