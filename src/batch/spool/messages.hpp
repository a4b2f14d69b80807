#pragma once

#include <span>
#include <string>
#include <string_view>

#include "batch/control/work.hpp"

namespace edgelab::batch::spool {

// What a person asks of a running batch, and what the batch answers. Each is a file of its own, JSON, at most
// kMostBytes long.
inline constexpr std::size_t kMostBytes = 4 << 20;

struct Command {
  enum class Kind { queue, cancel, drain, add };
  Kind kind = Kind::queue;
  std::string job;       // cancel
  std::string host;      // drain
  bool drained = true;   // drain: false takes it back
  std::string name;      // add: of the job file, for messages
  std::string text;      // add: a resolved job file
  bool operator==(const Command&) const = default;
};

struct Answer {
  int exit_code = 0;  // 0: done, and on disk; else `text` is the error
  std::string text;
  QueueView view;  // of queue
};

std::string to_text(const Command& command);
std::string to_text(const Answer& answer);
// Throw Error (data) if the text is not one.
Command command_from(std::string_view text);
Answer answer_from(std::string_view text);

}  // namespace edgelab::batch::spool
