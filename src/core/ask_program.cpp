#include "core/ask_program.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/child_process.hpp"
#include "core/clock.hpp"

namespace edgelab {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

// Everything up to the end of the stream; nothing if that doesn't come in time.
std::optional<std::string> read_until(int descriptor, std::int64_t end_ns) {
  std::string text;
  std::array<char, 4096> piece;
  while (text.size() < kMostBytes) {
    const std::int64_t left_ns = end_ns - now_ns();
    if (left_ns <= 0) return {};
    pollfd waiting{descriptor, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(left_ns / 1'000'000) + 1) <= 0) continue;
    const ssize_t count = read(descriptor, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

// Whoever asks samples a sensor, and may be a thread of its own: what can't be told is nothing, never an error.
std::optional<std::string> ask_program(const std::vector<std::string>& arguments, std::int64_t limit_ns) try {
  Pipe pipe = make_pipe();
  ProgramSetup setup;
  setup.output = pipe.writing.number();
  pid_t process = -1;
  if (start_program(arguments, setup, process) != 0) return {};
  pipe.writing = FileDescriptor();
  std::optional<std::string> text = read_until(pipe.reading.number(), now_ns() + limit_ns);
  if (!text) kill(process, SIGKILL);
  return exit_code_of(process) == 0 ? text : std::nullopt;
} catch (const Error&) {
  return {};
}

}  // namespace edgelab
