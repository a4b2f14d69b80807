#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/file.hpp"

namespace edgelab {

struct Pipe {
  FileDescriptor reading, writing;  // neither is inherited by a program that is started
};

Pipe make_pipe();  // throws Error (environment)

// What comes until the end of the stream; of a descriptor that does not block, what is there now.
std::string read_rest(int descriptor);

// What a program gets that we start.
struct ProgramSetup {
  static constexpr int kNull = -1;                    // /dev/null
  int input = kNull, output = kNull, errors = kNull;  // descriptors of ours
  std::vector<std::string> environment;               // "NAME=VALUE"; empty: ours
  bool own_group = false;                             // a process group of its own, so that all it starts can be ended with it
};

// Starts a program of PATH from an argument vector, no shell in between, with no signal blocked. Returns 0, with its id in
// `process`, or the errno that says why not.
int start_program(const std::vector<std::string>& arguments, const ProgramSetup& setup, pid_t& process);

// Blocks until it has ended.
int exit_code_of(pid_t process);  // or 128 + the signal that ended it
int exit_code_in(int status);     // the same, of what waitpid(2) told

// `texts` as exec(3) wants them; they must outlive it.
std::vector<char*> pointers_to(const std::vector<std::string>& texts);

}  // namespace edgelab
