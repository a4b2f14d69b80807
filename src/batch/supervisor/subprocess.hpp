#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/file.hpp"

namespace edgelab::batch {

// A child process, from an argument vector: no shell. It has a session of its own, so that a terminal's Ctrl-C reaches it
// only through us; gets SIGTERM when the thread that started it ends, so that it does not outlive a killed supervisor; and
// reads nothing. What it writes, to stdout or stderr, comes out of output().
class Subprocess {
 public:
  // `variables` join our environment. Throws Error (environment) if it can't be started.
  Subprocess(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& variables = {});
  ~Subprocess();  // SIGKILL, if it still runs
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  int output() const { return output_.number(); }  // read end of a pipe, non-blocking
  // What there is to read; nothing at the end of the stream too.
  std::string read_output();
  // All that it writes from now on until it ends, or until then (now_ns()). Blocks.
  std::string output_to_end(std::int64_t until_ns);
  // Its exit code, or 128 + the signal that ended it; nothing while it runs.
  std::optional<int> ended();
  void send(int signal) const;

 private:
  FileDescriptor output_;
  pid_t process_ = -1;
  std::optional<int> code_;
};

// Our environment as "NAME=VALUE", with `variables` added where the name is not there yet.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& variables);

// Throws Error (environment) if no folder of PATH holds such a program.
void require_program(const std::string& name, const std::string& hint);

}  // namespace edgelab::batch
