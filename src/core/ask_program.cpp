#include "core/ask_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/clock.hpp"
#include "core/file.hpp"

namespace edgelab {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

pid_t spawn(const std::vector<std::string>& arguments, int output) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t process = -1;
  const int refused = posix_spawnp(&process, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return refused == 0 ? process : -1;
}

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

std::optional<std::string> ask_program(const std::vector<std::string>& arguments, std::int64_t limit_ns) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  const FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  const pid_t process = spawn(arguments, writing.number());
  if (process < 0) return {};
  writing = FileDescriptor();
  std::optional<std::string> text = read_until(reading.number(), now_ns() + limit_ns);
  if (!text) kill(process, SIGKILL);
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? text : std::nullopt;
}

}  // namespace edgelab
