#include "app/live_screen.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <string>

#include "app/terminal_look.hpp"
#include "batch/signals.hpp"

namespace edgelab::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{100};  // for a signal or another size
constexpr char kCtrlC = 3, kCtrlD = 4;

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

bool ends(char key) { return key == 'q' || key == 'Q' || key == kCtrlC || key == kCtrlD; }

// False for a key that ends the view, and for a terminal that is gone.
bool read_keys(milliseconds time) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  const int ready = ::poll(&input, 1, static_cast<int>(time.count()));
  if (ready < 0) return errno == EINTR;
  if (ready == 0) return true;
  std::array<char, 64> keys;
  const ssize_t count = ::read(STDIN_FILENO, keys.data(), keys.size());
  return count > 0 && std::none_of(keys.begin(), keys.begin() + count, ends);
}

}  // namespace

LiveScreen::LiveScreen() {
  termios mode{};
  if (::tcgetattr(STDIN_FILENO, &mode) == 0) {
    before_ = mode;
    mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &mode);
  }
  put("\033[?1049h\033[?25l\033[H\033[2J");  // the other screen, no cursor, empty
}

LiveScreen::~LiveScreen() {
  put("\033[?25h\033[?1049l");
  if (before_) ::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
}

void LiveScreen::draw(std::string_view text) {
  std::string drawn = "\033[H";
  while (!text.empty()) {
    const std::size_t feed = std::min(text.find('\n'), text.size());
    drawn += text.substr(0, feed);
    drawn += "\033[K";  // what is left of a longer line
    text.remove_prefix(std::min(feed + 1, text.size()));
    if (!text.empty()) drawn += "\n";
  }
  put(drawn + "\033[J");
}

bool LiveScreen::wait(milliseconds time) {
  const TerminalSize size = size_of_stdout();
  for (; time > milliseconds{0}; time -= kLook) {
    if (batch::SignalWatch::received() != 0) return false;
    const milliseconds slice = std::min(time, kLook);
    if (!before_) {
      ::poll(nullptr, 0, static_cast<int>(slice.count()));  // stdin is something else's
    } else if (!read_keys(slice)) {
      return false;
    }
    if (size_of_stdout() != size) return true;
  }
  return true;
}

}  // namespace edgelab::app
