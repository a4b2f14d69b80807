#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace edgelab::runtime {

// Which of several ways to compute a layer was measured to be the fastest, by everything that the time depends on: the op,
// the types, the threads, the kind of machine and this binary's version. Measured once; kept because a second measurement
// would cost the time again, and could come out the other way and change the last bits of an answer.
// Safe to use from several threads.
class Choices {
 public:
  struct Choice {
    std::string name;   // of the implementation, or kUnfused
    std::string times;  // "unfused 312 µs" for each that was slower, for people
    bool operator==(const Choice&) const = default;
  };
  static constexpr const char* kUnfused = "unfused";

  Choices() = default;
  // Those that `file` holds, which is made where it isn't there; new ones are appended to it, a line each. A line that a
  // kill or a full disk cut short is left out on reading. A file that can't be read or written is only a warning: choices
  // are then measured again.
  explicit Choices(std::filesystem::path file);

  // The ones of this user on this kind of machine: CACHE/choices/<CPU and version>.tsv. Read at the first call.
  static Choices& of_this_machine();

  std::optional<Choice> find(const std::string& key) const;
  void keep(const std::string& key, const Choice& choice);

  // All of them as text, and back, to hand them to other ranks. Those that are there already stay.
  std::string text() const;
  void add(const std::string& text);

 private:
  void append(const std::string& line) noexcept;

  mutable std::mutex mutex_;
  std::map<std::string, Choice> choices_;
  std::filesystem::path file_;  // empty: in memory only
};

}  // namespace edgelab::runtime
