#pragma once

#include <string>

namespace edgelab::test {

struct ProgramResult {
  int exit_code = -1;  // 128 + the signal's number if one ended it, as shells say
  std::string output, errors;
};

// Runs a shell command line and waits for it; standard input is empty. Open MPI may run as root and with more ranks than
// cores.
ProgramResult run_program(const std::string& command_line);

}  // namespace edgelab::test
