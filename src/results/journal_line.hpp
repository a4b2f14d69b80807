#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// One line of the journal, in and out; journal.hpp says what the lines mean.
namespace edgelab::results {

struct Fact {
  std::string type;
  std::string body;  // JSON, one line
};

struct JournalLine {
  Fact fact;
  std::optional<std::uint64_t> synced;  // bytes of the file known to be on disk; empty: all before this line
};

// With its line feed. `type` is a word, `body` JSON on one line.
std::string journal_line(std::string_view type, std::string_view body, std::optional<std::uint64_t> synced);

// Empty if the line, given without its line feed, is not whole.
std::optional<JournalLine> parse_journal_line(std::string_view line);

// A stretch of the file that was damaged before any of it was acknowledged: bytes [begin, end), the body of a "lost" fact.
struct LostStretch {
  std::uint64_t begin = 0, end = 0;
  bool operator==(const LostStretch&) const = default;
};
std::string body_of(const LostStretch& stretch);
std::optional<LostStretch> lost_stretch_of(const Fact& fact);  // empty if it is another fact or none that makes sense

}  // namespace edgelab::results
