#include "results/hdf5/limited_child.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <span>

#include "core/error.hpp"
#include "core/file.hpp"

#ifdef __has_feature  // Clang's way to ask
#define EDGELAB_HAS_FEATURE(name) __has_feature(name)
#else
#define EDGELAB_HAS_FEATURE(name) 0
#endif

namespace edgelab::results::hdf5 {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || EDGELAB_HAS_FEATURE(address_sanitizer) || \
    EDGELAB_HAS_FEATURE(thread_sanitizer)
constexpr bool kMemoryCanBeLimited = false;
#else
constexpr bool kMemoryCanBeLimited = true;
#endif

constexpr int kOutOfMemory = 3;  // the child's exit status

std::uint64_t mapped_bytes() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void limit(int resource, std::uint64_t most) {
  rlimit now{};
  ::getrlimit(resource, &now);
  // One more for the hard limit: at that one the kernel sends SIGKILL, at the soft one SIGXCPU, which says why.
  const rlimit tighter{std::min<rlim_t>(now.rlim_cur, most), std::min<rlim_t>(now.rlim_max, most + 1)};
  ::setrlimit(resource, &tighter);
}

// Nobody waits for an answer whose asker was killed, and a pipe that the child itself could read from would never break.
void end_with(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it was killed before that
}

[[noreturn]] void be_the_child(const std::function<std::string()>& work, const Limits& limits, int output) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CPU, limits.cpu_seconds);
  if (kMemoryCanBeLimited) limit(RLIMIT_AS, mapped_bytes() + limits.memory_bytes);
  std::signal(SIGPIPE, SIG_DFL);
  try {
    const std::string text = work();
    ::_exit(write_all(output, std::as_bytes(std::span(text))) == 0 ? 0 : 1);  // without the parent's exit handlers
  } catch (const std::bad_alloc&) {
    ::_exit(kOutOfMemory);
  }
}

// False if there was more than `most`.
bool read_to_end(int input, std::uint64_t most, std::string& text) {
  char piece[1 << 16];
  for (;;) {
    const ssize_t size = ::read(input, piece, sizeof piece);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return true;
    if (text.size() + static_cast<std::size_t>(size) > most) return false;
    text.append(piece, static_cast<std::size_t>(size));
  }
}

std::string failure_of(int status, const Limits& limits) {
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (signal == SIGXCPU) return fmt::format("reading it took more than {} s of processor time", limits.cpu_seconds);
  if (signal == SIGKILL) return "the process that read it was killed, perhaps for want of memory";
  if (signal != 0) return fmt::format("the HDF5 library crashes on it (signal {})", signal);
  if (WEXITSTATUS(status) == kOutOfMemory) return "reading it takes more memory than such a file is allowed";
  return WEXITSTATUS(status) == 0 ? "" : fmt::format("reading it ended with status {}", WEXITSTATUS(status));
}

[[noreturn]] void fail(const char* doing) {
  throw Error(ErrorKind::environment, fmt::format("{}: {}", doing, std::strerror(errno)));
}

}  // namespace

Answer ask_child(const std::function<std::string()>& work, const Limits& limits) {
  int ends[2];
  if (::pipe(ends) != 0) fail("a pipe can't be made");
  const FileDescriptor input(ends[0]);
  FileDescriptor output(ends[1]);
  const pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) fail("a child process can't be started");
  if (child == 0) {
    end_with(parent);
    ::close(input.number());
    be_the_child(work, limits, output.number());
  }
  output = FileDescriptor();
  Answer answer;
  const bool whole = read_to_end(input.number(), limits.answer_bytes, answer.text);
  if (!whole) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  answer.failure = whole ? failure_of(status, limits) : "what it holds is out of all proportion to its length";
  return answer;
}

}  // namespace edgelab::results::hdf5
