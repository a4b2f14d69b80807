#include "batch/doctor/remote_shell.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "core/child_process.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"

namespace edgelab::batch::doctor {
namespace {

constexpr std::size_t kMostErrors = 64 << 10, kMostLine = 1 << 20;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// Messages of ssh are looked into (reach.cpp), so they must be English.
std::vector<std::string> english_environment() {
  std::vector<std::string> lines{"LC_ALL=C"};
  for (char** line = environ; *line != nullptr; ++line) {
    if (std::string_view(*line).substr(0, 7) != "LC_ALL=") lines.emplace_back(*line);
  }
  return lines;
}

pid_t spawn(const std::vector<std::string>& arguments, int input, int output, int errors) {
  pid_t process = -1;
  const int refused = start_program(arguments, {input, output, errors, english_environment(), true}, process);
  if (refused != 0) throw file_error("the remote shell can't be started", arguments[0], refused);
  return process;
}

// False at the end of the stream.
bool take(int descriptor, std::string& into, std::size_t most) {
  std::array<char, 4096> piece;
  const ssize_t count = read(descriptor, piece.data(), piece.size());
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  if (count > 0 && into.size() < most) into.append(piece.data(), static_cast<std::size_t>(count));
  return count > 0;
}

}  // namespace

std::vector<std::string> remote_shell_words() {
  std::vector<std::string> words;
  for (const char* name : {"EDGELAB_RSH", "OMPI_MCA_plm_rsh_agent", "PRTE_MCA_plm_ssh_agent"}) {
    const char* value = std::getenv(name);
    if (!words.empty() || value == nullptr) continue;
    const std::string choices = value;
    words = words_of(choices.substr(0, choices.find(" : ")));
  }
  if (words.empty()) words = {"ssh"};
  const std::string program = words[0].substr(words[0].rfind('/') + 1);
  if (program == "ssh") words.insert(words.end(), {"-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-T"});
  return words;
}

Conversation::Conversation(const std::vector<std::string>& arguments) {
  Pipe input = make_pipe(), output = make_pipe(), errors = make_pipe();
  process_ = spawn(arguments, input.reading.number(), output.writing.number(), errors.writing.number());
  input_ = std::move(input.writing);
  output_ = std::move(output.reading);
  error_ = std::move(errors.reading);
}

Conversation::~Conversation() {
  if (code_) return;
  kill(-process_, SIGKILL);
  exit_code_of(process_);
}

bool Conversation::say(const std::string& text) {
  return write_all(input_.number(), std::as_bytes(std::span(text))) == 0;
}

void Conversation::hang_up() { input_ = FileDescriptor(); }

// Waits for output or errors and keeps them; false when both have ended or the time is over.
bool Conversation::take_some(std::int64_t end_ns) {
  const std::int64_t left_ns = end_ns - now_ns();
  if (left_ns <= 0 || (!output_.open() && !error_.open())) return false;
  std::array<pollfd, 2> waiting{
      {{output_.number(), POLLIN, 0}, {error_.number(), POLLIN, 0}}};  // a closed one is -1: passed over
  if (poll(waiting.data(), waiting.size(), static_cast<int>(left_ns / 1'000'000) + 1) <= 0) return true;
  if (waiting[0].revents != 0 && !take(output_.number(), unread_, kMostLine)) output_ = FileDescriptor();
  if (waiting[1].revents != 0 && !take(error_.number(), errors_, kMostErrors)) error_ = FileDescriptor();
  return true;
}

std::optional<std::string> Conversation::line(std::int64_t end_ns) {
  while (true) {
    const std::size_t end = unread_.find('\n');
    if (end != std::string::npos) {
      std::string text = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return text;
    }
    if (!output_.open() || unread_.size() >= kMostLine || !take_some(end_ns)) return {};
  }
}

// A program left behind (a shared connection of ssh's) may hold the streams open: what ends the wait is the program's own end.
std::optional<int> Conversation::wait(std::int64_t end_ns) {
  constexpr std::int64_t kSliceNs = 20'000'000;
  while (!code_) {
    int status = 0;
    const pid_t ended = waitpid(process_, &status, WNOHANG);
    if (ended == process_) code_ = exit_code_in(status);
    const std::int64_t slice_end_ns = std::min(end_ns, now_ns() + kSliceNs);
    while (take_some(slice_end_ns)) {
    }
    if (now_ns() >= end_ns) break;
    if (!code_ && !output_.open() && !error_.open()) {
      const timespec pause{0, 5'000'000};
      nanosleep(&pause, nullptr);
    }
  }
  return code_;
}

}  // namespace edgelab::batch::doctor
