#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/file.hpp"

namespace edgelab::batch::doctor {

// The words with which a command line on another host begins, less the host: $EDGELAB_RSH, or the agent that Open MPI is
// told to use (OMPI_MCA_plm_rsh_agent, PRTE_MCA_plm_ssh_agent; of several the first), or ssh. ssh is told not to ask for
// passwords and to give up soon.
std::vector<std::string> remote_shell_words();

// A program that is talked to line by line over its standard streams, started from an argument vector: no shell of ours. Not
// for two threads at once. The calling thread must have SIGPIPE blocked; the program has not.
class Conversation {
 public:
  // Throws Error (environment) if it can't be started.
  explicit Conversation(const std::vector<std::string>& arguments);
  ~Conversation();  // SIGKILL to it and what it started, if it still runs
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  bool say(const std::string& text);  // false if it listens no more
  // The next line of its output, without the end; nothing once the output has ended or `end_ns` (now_ns()) has passed.
  std::optional<std::string> line(std::int64_t end_ns);
  void hang_up();  // closes its input
  // Its exit code, or 128 + the signal that ended it; nothing if it still runs at `end_ns`.
  std::optional<int> wait(std::int64_t end_ns);
  const std::string& errors() const { return errors_; }  // what it wrote to stderr, up to 64 KiB

 private:
  bool take_some(std::int64_t end_ns);

  FileDescriptor input_, output_, error_;
  pid_t process_ = -1;
  std::optional<int> code_;
  std::string unread_, errors_;
};

}  // namespace edgelab::batch::doctor
