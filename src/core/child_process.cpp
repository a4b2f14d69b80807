#include "core/child_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace edgelab {
namespace {

void redirect(posix_spawn_file_actions_t& actions, int ours, int theirs) {
  if (ours == ProgramSetup::kNull) posix_spawn_file_actions_addopen(&actions, theirs, "/dev/null", theirs == STDIN_FILENO ? O_RDONLY : O_WRONLY, 0);
  else posix_spawn_file_actions_adddup2(&actions, ours, theirs);
}

}  // namespace

Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw file_error("a pipe can't be made", "", errno);
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::string read_rest(int descriptor) {
  std::string text;
  std::array<char, 4096> piece;
  while (true) {
    const ssize_t count = read(descriptor, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

int start_program(const std::vector<std::string>& arguments, const ProgramSetup& setup, pid_t& process) {
  const std::vector<char*> argument_pointers = pointers_to(arguments), environment_pointers = pointers_to(setup.environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  redirect(actions, setup.input, STDIN_FILENO);
  redirect(actions, setup.output, STDOUT_FILENO);
  redirect(actions, setup.errors, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | (setup.own_group ? POSIX_SPAWN_SETPGROUP : 0)));
  const int refused = posix_spawnp(&process, argument_pointers[0], &actions, &attributes, argument_pointers.data(),
                                   setup.environment.empty() ? environ : environment_pointers.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return refused;
}

int exit_code_in(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

int exit_code_of(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_code_in(status);
}

}  // namespace edgelab
