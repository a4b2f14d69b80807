#include "support/pseudo_terminal.hpp"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <array>
#include <stdexcept>

namespace edgelab::test {
namespace {

constexpr int kPatienceMs = 60'000;

winsize size_of(int columns, int rows) {
  return {static_cast<unsigned short>(rows), static_cast<unsigned short>(columns), 0, 0};
}

}  // namespace

PseudoTerminal::PseudoTerminal(const std::string& command_line, int columns, int rows) {
  const winsize size = size_of(columns, rows);
  // The terminal is also kept open here, so that it can be asked for its mode when the program has ended.
  if (openpty(&master_, &keep_, nullptr, nullptr, &size) != 0) throw std::runtime_error("there is no pseudo terminal");
  child_ = fork();
  if (child_ == 0) {
    close(master_);
    if (login_tty(keep_) != 0) _exit(126);
    execl("/bin/sh", "sh", "-c", command_line.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
}

PseudoTerminal::~PseudoTerminal() {
  if (child_ > 0) {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  close(master_);
  close(keep_);
}

bool PseudoTerminal::read_more() {
  pollfd output{master_, POLLIN, 0};
  if (poll(&output, 1, 100) <= 0) return false;
  std::array<char, 4096> piece;
  const ssize_t count = read(master_, piece.data(), piece.size());
  if (count > 0) shown_.append(piece.data(), static_cast<std::size_t>(count));
  return count > 0;
}

bool PseudoTerminal::shows(const std::string& text, int times) {
  const auto there = [&] {
    int found = 0;
    for (std::size_t at = 0; (at = shown_.find(text, at)) != std::string::npos; at += text.size()) ++found;
    return found >= times;
  };
  for (int waited = 0; !there(); waited += 100) {
    if (read_more()) {
      waited -= 100;
      continue;
    }
    siginfo_t ended{};
    const bool over =
        waitid(P_PID, static_cast<id_t>(child_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == child_;
    if (over || waited >= kPatienceMs) return there();
  }
  return true;
}

void PseudoTerminal::press(const std::string& keys) {
  if (write(master_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
    throw std::runtime_error("the terminal takes no keys");
}

void PseudoTerminal::resize(int columns, int rows) {
  const winsize size = size_of(columns, rows);
  ioctl(master_, TIOCSWINSZ, &size);
}

int PseudoTerminal::wait() {
  int status = 0;
  for (int waited = 0; waitpid(child_, &status, WNOHANG) == 0; waited += 100) {
    if (waited >= kPatienceMs) throw std::runtime_error("the program does not end");
    read_more();
  }
  child_ = -1;
  while (read_more()) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool PseudoTerminal::echoes() const {
  termios mode{};
  tcgetattr(keep_, &mode);
  return (mode.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG);
}

}  // namespace edgelab::test
