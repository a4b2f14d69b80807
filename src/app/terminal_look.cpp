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

results::Look look_of_stdout() {
  results::Look look;
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0) return look;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    look.width = std::clamp<int>(size.ws_col, kNarrowest, kWidest);
  const char* terminal = std::getenv("TERM");
  look.colour = std::getenv("NO_COLOR") == nullptr && terminal != nullptr && std::string(terminal) != "dumb";
  return look;
}

}  // namespace edgelab::app
