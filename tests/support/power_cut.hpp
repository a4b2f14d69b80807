#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// What a power cut may leave on disk. A test lets the code under test work in a folder while every call that changes it is
// recorded, then asks for the states that a cut after any of these calls can leave, and lets the recovery loose on each.
//
// What POSIX promises, and no more: fsync of a file brings its bytes to disk, fsync of a folder the names in it. Everything
// since may be there or not, in any combination: of a write any part, its length without its bytes (they read as zeros), a
// truncation, a new name, a rename. One rename within a folder is done or undone as a whole; one across folders may have
// reached either alone.
namespace edgelab::test {

// Paths below the root → bytes; no bytes: a folder.
using DiskState = std::map<std::string, std::optional<std::string>>;

DiskState disk_state_of(const std::filesystem::path& root);
void put_disk_state(const DiskState& state, const std::filesystem::path& root);  // an empty folder

// Open files and names as calls change them, and the record of these changes.
class DiskModel {
 public:
  using Node = std::size_t;  // a file or folder, whatever it is called: an inode
  static constexpr Node kRoot = 0;

  explicit DiskModel(const DiskState& on_disk);

  // Of now. Paths are relative to the root, "" is the root.
  std::optional<Node> find(const std::string& path) const;
  std::uint64_t size_of(Node file) const { return nodes_[file].bytes.size(); }
  DiskState state() const;

  Node make(const std::string& path, bool folder);  // gives the name to something new, whatever had it before
  void write(Node file, std::uint64_t offset, std::string bytes);
  void truncate(Node file, std::uint64_t size);
  void rename(const std::string& from, const std::string& to);
  void unlink(const std::string& path);
  void sync(Node node);

  std::size_t changes() const { return changes_.size(); }  // recorded so far, syncs among them

  // States that a cut after the first `changes` may leave; each once. Every combination of whole changes if there are at
  // most `limit`, else what nothing, all, all but one and one alone leave; then up to `limit` more that are drawn by `seed`,
  // with torn writes.
  std::vector<DiskState> after_cut(std::size_t changes, std::size_t limit, std::uint64_t seed) const;

 private:
  struct Content {
    bool folder = false;
    std::string bytes;
    std::map<std::string, Node> names;
  };
  struct Write {
    Node file = 0;
    std::uint64_t offset = 0;
    std::string bytes;
  };
  struct Truncation {
    Node file = 0;
    std::uint64_t size = 0;
  };
  struct Names {  // one folder's, changed together; no node: the name goes
    Node folder = 0;
    std::map<std::string, std::optional<Node>> given;
  };
  struct Sync {
    Node node = 0;
  };
  using Change = std::variant<Write, Truncation, Names, Sync>;
  using Disk = std::vector<Content>;
  class Torn;

  static Node node_of(const Change& change);
  static void apply(const Change& change, Disk& disk);
  static DiskState state_of(const Disk& disk);
  std::vector<std::size_t> pending(std::size_t changes) const;
  Disk synced(std::size_t changes, const std::vector<std::size_t>& pending) const;
  void record(Change change);
  std::pair<Node, std::string> place_of(const std::string& path) const;

  Disk initial_, nodes_;
  std::vector<Change> changes_;
};

// Records, as long as it lives, what this program does below `root`. One at a time, on one thread; in programs linked with
// edgelab_power_cut, whose linker options send the calls through power_cut_calls.cpp.
class RecordedDisk {
 public:
  explicit RecordedDisk(const std::filesystem::path& root);
  ~RecordedDisk();
  RecordedDisk(const RecordedDisk&) = delete;
  RecordedDisk& operator=(const RecordedDisk&) = delete;

  const DiskModel& model() const { return model_; }
  DiskModel& model() { return model_; }  // for the recorded calls

  // The path as the model has it; none if it is elsewhere.
  std::optional<std::string> below(const std::filesystem::path& path) const;

 private:
  DiskModel model_;
  std::filesystem::path root_;
};

// Calls `check` with each state that a cut after any of the recorded changes may leave, laid out in a folder of its own, and
// the number of changes before that cut. Returns how many states there were. `limit`: as of after_cut().
std::size_t after_every_cut(const DiskModel& model, std::size_t limit,
                            const std::function<void(const std::filesystem::path& root, std::size_t changes)>& check);

// As long as it lives fsync returns at once, in programs linked with edgelab_power_cut: states rebuilt from the model need
// not reach this machine's own disk.
class NoWaitForTheDisk {
 public:
  NoWaitForTheDisk();
  ~NoWaitForTheDisk();
  NoWaitForTheDisk(const NoWaitForTheDisk&) = delete;
  NoWaitForTheDisk& operator=(const NoWaitForTheDisk&) = delete;
};

}  // namespace edgelab::test
