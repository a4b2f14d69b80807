#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "results/journal_line.hpp"

namespace edgelab::results {

// Follows a journal that another process may be writing. Only reads, and takes no lock. Damaged lines are passed over: to
// judge them is read_journal()'s business.
class JournalTail {
 public:
  explicit JournalTail(std::filesystem::path path) : path_(std::move(path)) {}

  struct News {
    bool anew = false;  // another file has the name now: what was told before is not of it
    std::vector<Fact> facts;
  };
  // The lines that have become whole since the last look; none while there is no file. Throws Error (environment) if the
  // file can't be read.
  News look();

 private:
  std::filesystem::path path_;
  dev_t device_ = 0;
  ino_t file_ = 0;
  std::uint64_t told_ = 0;  // bytes of it
};

}  // namespace edgelab::results
