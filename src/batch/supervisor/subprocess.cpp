#include "batch/supervisor/subprocess.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "core/child_process.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"

namespace edgelab::batch {
namespace {

// In the child, between fork and exec.
[[noreturn]] void become(const std::vector<char*>& arguments, const std::vector<char*>& environment, int output, pid_t parent) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int input = open("/dev/null", O_RDONLY);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execvpe(arguments[0], arguments.data(), environment.data());
  dprintf(STDERR_FILENO, "error: %s can't be started: %s\n", arguments[0], std::strerror(errno));
  _exit(127);
}

}  // namespace

std::vector<std::string> environment_with(const std::map<std::string, std::string>& variables) {
  std::vector<std::string> lines;
  for (char** line = environ; *line != nullptr; ++line) lines.emplace_back(*line);
  for (const auto& [name, value] : variables) {
    if (std::getenv(name.c_str()) == nullptr) lines.push_back(name + "=" + value);
  }
  return lines;
}

void require_program(const std::string& name, const std::string& hint) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access(((folder.empty() ? "." : folder) + "/" + name).c_str(), X_OK) == 0) return;
  }
  throw Error(ErrorKind::environment, "there is no " + name + " on PATH").hint(hint);
}

Subprocess::Subprocess(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& variables) {
  const std::vector<std::string> environment = environment_with(variables);
  const std::vector<char*> argument_pointers = pointers_to(arguments), environment_pointers = pointers_to(environment);
  Pipe pipe = make_pipe();
  output_ = std::move(pipe.reading);
  fcntl(output_.number(), F_SETFL, O_NONBLOCK);
  const pid_t parent = getpid();
  process_ = fork();
  if (process_ < 0) throw file_error("a process can't be started", arguments[0], errno);
  if (process_ == 0) become(argument_pointers, environment_pointers, pipe.writing.number(), parent);
}

Subprocess::~Subprocess() {
  if (ended()) return;
  send(SIGKILL);
  exit_code_of(process_);
}

std::string Subprocess::read_output() { return read_rest(output_.number()); }

std::string Subprocess::output_to_end(std::int64_t until_ns) {
  std::string text;
  while (!ended() && now_ns() < until_ns) {
    text += read_output();  // or it would wait for room in the pipe
    const timespec pause{0, 5'000'000};
    nanosleep(&pause, nullptr);
  }
  return text + read_output();
}

std::optional<int> Subprocess::ended() {
  if (code_) return code_;
  int status = 0;
  if (waitpid(process_, &status, WNOHANG) != process_) return std::nullopt;
  code_ = exit_code_in(status);
  return code_;
}

void Subprocess::send(int signal) const {
  if (!code_) kill(process_, signal);
}

}  // namespace edgelab::batch
