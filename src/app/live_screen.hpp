#pragma once

#include <termios.h>

#include <chrono>
#include <optional>
#include <string_view>

namespace edgelab::app {

// A terminal's whole screen, for text that is drawn anew again and again (xterm's control sequences). The screen that was
// there comes back when the object goes. While it lives keys are read as they are pressed and not shown, Ctrl-C too, so
// that no signal can leave the terminal as it must not be left. One object at a time; stdout must be a terminal.
class LiveScreen {
 public:
  LiveScreen();
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  // Lines that fit. Written over what is there, so that nothing flickers.
  void draw(std::string_view text);

  // Waits; less long where the terminal has changed its size. False once the person has had enough: q, Ctrl-C, SIGINT,
  // SIGTERM, or a terminal that is gone.
  bool wait(std::chrono::milliseconds time);

 private:
  std::optional<termios> before_;  // of stdin, if it is a terminal
};

}  // namespace edgelab::app
