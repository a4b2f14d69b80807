#pragma once

#include <sys/types.h>

#include <string>

namespace edgelab::test {

// A program in a terminal of its own, as a person would run it: keys go in, what it shows comes out.
class PseudoTerminal {
 public:
  // A shell command line; `exec PROGRAM…` for one process.
  PseudoTerminal(const std::string& command_line, int columns, int rows);
  ~PseudoTerminal();  // kills what still runs
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  // Reads on until all that was shown holds the text `times` times; false if the program ended, or a minute went by, before.
  bool shows(const std::string& text, int times = 1);
  void press(const std::string& keys);
  void resize(int columns, int rows);
  int wait();  // reads to the end; the exit code, 128 + the signal's number if one ended it

  bool echoes() const;  // what is typed is shown and read line by line, as at a shell's prompt
  const std::string& shown() const { return shown_; }

 private:
  bool read_more();

  int master_ = -1, keep_ = -1;
  pid_t child_ = -1;
  std::string shown_;
};

}  // namespace edgelab::test
