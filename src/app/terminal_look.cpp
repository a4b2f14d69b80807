#include "app/terminal_look.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace edgelab::app {
namespace {

constexpr int kWidest = 120, kNarrowest = 60;

}  // namespace

TerminalSize size_of_stdout() {
  TerminalSize size;
  winsize told{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &told) != 0) return size;
  if (told.ws_col > 0) size.columns = told.ws_col;
  if (told.ws_row > 0) size.rows = told.ws_row;
  return size;
}

results::Look look_of_stdout() {
  results::Look look;
  if (::isatty(STDOUT_FILENO) == 0) return look;
  look.width = std::clamp(size_of_stdout().columns, kNarrowest, kWidest);
  const char* terminal = std::getenv("TERM");
  look.colour = std::getenv("NO_COLOR") == nullptr && terminal != nullptr && std::string(terminal) != "dumb";
  return look;
}

}  // namespace edgelab::app
