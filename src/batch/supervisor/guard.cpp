#include "batch/supervisor/guard.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "batch/session.hpp"
#include "batch/supervisor/last_words.hpp"
#include "batch/supervisor/oom_watch.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/machine.hpp"

namespace edgelab::batch {
namespace {

constexpr std::int64_t kLingerNs = 5'000'000'000;       // longer than rank 0's grace time, in case nobody ends us
constexpr std::int64_t kReaderPatienceNs = 500'000'000;  // for mpirun to read what we wrote
constexpr std::size_t kPiece = 4096;
constexpr int kMostOrderlyCode = 3;  // docs/jobs.md

int world_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const char* text = std::getenv(name)) return std::atoi(text);
  }
  return 0;
}

Error system_error(const char* what) { return file_error(what, "", errno); }

sigset_t guarded_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&set, signal);
  return set;
}

// Returns the exit code if no signal ended the rank.
int end_as_rank(const RankEnd& end) {
  if (end.signal == 0) return 0;
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);  // the rank has left one already
  std::signal(end.signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, end.signal);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  raise(end.signal);
  raise(SIGKILL);  // that signal does not kill by default: the rank had a use of its own for it
  return 0;
}

class Guard {
 public:
  explicit Guard(const GuardSettings& settings) : settings_(settings), parent_(getppid()) {}

  int run() {
    start();
    while (!ended_) turn();
    relay();
    RankEnd end = rank_end();
    if (end.signal != 0 || end.code != 0 || (settings_.survives && end.rank == 0)) report(end);
    if (settings_.survives) return end_as_rank(end);
    const int code = end.signal != 0 ? 128 + end.signal : end.code <= kMostOrderlyCode ? 0 : end.code;
    if (ordered_ && code != 0 && end.rank != 0) linger();
    return code;
  }

 private:
  void start();
  [[noreturn]] void become_rank(const sigset_t& signals, int errors);
  void turn();
  void wait_for_news(std::int64_t until_ns);
  void on_signal(int signal);
  void reap();
  void order(int signal);
  void relay();
  void linger();
  RankEnd rank_end() const;
  void report(const RankEnd& end) const;
  void kill_rank(int signal) const { kill(rank_, signal); }

  const GuardSettings& settings_;
  const pid_t parent_;
  OomWatch memory_;
  LastWords last_words_;
  FileDescriptor signals_, errors_;
  pid_t rank_ = -1;
  int status_ = 0;  // of waitpid
  bool ended_ = false, told_ = false, ordered_ = false;
  std::int64_t kill_at_ns_ = 0;  // 0: never
};

void Guard::start() {
  // The kernel tells when the thread that started us ends. mpirun may start processes from threads that end early, so the
  // signal is only a reason to look whether mpirun is still there.
  prctl(PR_SET_PDEATHSIG, SIGHUP);
  const sigset_t signals = guarded_signals();
  sigset_t before;
  sigprocmask(SIG_BLOCK, &signals, &before);
  std::signal(SIGPIPE, SIG_IGN);  // mpirun may go while we write
  signals_ = FileDescriptor(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  int ends[2];
  if (!signals_.open() || pipe2(ends, O_CLOEXEC) != 0) throw system_error("the guard of a rank can't start");
  errors_ = FileDescriptor(ends[0]);
  FileDescriptor write_end(ends[1]);
  fcntl(errors_.number(), F_SETFL, O_NONBLOCK);
  rank_ = fork();
  if (rank_ < 0) throw system_error("a rank can't be started");
  if (rank_ == 0) become_rank(before, write_end.number());
  if (getppid() != parent_) kill_rank(SIGKILL);
}

void Guard::become_rank(const sigset_t& signals, int errors) {
  const pid_t guard = getppid();
  setpgid(0, 0);  // mpirun signals our process group; what the rank gets, it gets from us
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != guard) _exit(1);
  std::signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_SETMASK, &signals, nullptr);
  dup2(errors, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& argument : settings_.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  std::fprintf(stderr, "%s\n", file_error("the rank's program can't be started", settings_.command[0], errno).what());
  _exit(127);
}

void Guard::turn() {
  wait_for_news(kill_at_ns_);
  relay();
  signalfd_siginfo info{};
  while (read(signals_.number(), &info, sizeof info) == sizeof info) on_signal(static_cast<int>(info.ssi_signo));
  if (kill_at_ns_ != 0 && now_ns() >= kill_at_ns_) kill_rank(SIGKILL);
}

// Until a signal or output of the rank comes, or until then (0: for ever).
void Guard::wait_for_news(std::int64_t until_ns) {
  std::array<pollfd, 2> news = {pollfd{signals_.number(), POLLIN, 0}, pollfd{errors_.open() ? errors_.number() : -1, POLLIN, 0}};
  const std::int64_t left_ms = (until_ns - now_ns()) / 1'000'000 + 1;
  poll(news.data(), news.size(), until_ns == 0 ? -1 : static_cast<int>(std::max<std::int64_t>(left_ms, 1)));
}

void Guard::on_signal(int signal) {
  switch (signal) {
    case SIGCHLD: return reap();
    case SIGUSR1: return order(SIGTERM);
    case SIGUSR2: return order(SIGINT);
    case SIGHUP:
      told_ = true;
      return kill_rank(getppid() == parent_ ? SIGHUP : SIGKILL);
    default:
      told_ = true;
      kill_rank(signal);
  }
}

void Guard::reap() {
  if (!ended_ && waitpid(rank_, &status_, WNOHANG) == rank_) ended_ = true;
}

// Repeated orders are one: the supervisor repeats them, since mpirun may lose one while it starts.
void Guard::order(int signal) {
  if (ordered_) return;
  ordered_ = told_ = true;
  kill_at_ns_ = now_ns() + std::chrono::nanoseconds(settings_.grace).count();
  kill_rank(signal);
}

// Passes on what the rank has written.
void Guard::relay() {
  std::array<std::byte, kPiece> piece;
  while (errors_.open()) {
    const ssize_t count = read(errors_.number(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;
    if (count == 0) errors_ = {};
    const std::span<const std::byte> bytes(piece.data(), static_cast<std::size_t>(count));
    last_words_.add({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    write_all(STDERR_FILENO, bytes);
  }
}

void Guard::linger() {
  const std::int64_t until = now_ns() + std::chrono::nanoseconds(settings_.grace).count() + kLingerNs;
  signalfd_siginfo info{};
  while (now_ns() < until) {
    wait_for_news(until);
    relay();
    while (read(signals_.number(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGHUP) return;
    }
  }
}

RankEnd Guard::rank_end() const {
  RankEnd end;
  end.rank = world_rank();
  end.host = host_name();
  end.signal = WIFSIGNALED(status_) ? WTERMSIG(status_) : 0;
  end.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 0;
  if (end.signal == SIGKILL) end.out_of_memory = memory_.killed();
  end.told = told_;
  end.last_words = last_words_.lines();
  return end;
}

// In one piece, with a pipe that is empty before it, so that mpirun reads it in one piece too.
void Guard::report(const RankEnd& end) const {
  int waiting = 0;
  const std::int64_t until = now_ns() + kReaderPatienceNs;
  struct stat status {};
  const bool is_pipe = fstat(STDERR_FILENO, &status) == 0 && S_ISFIFO(status.st_mode);
  while (is_pipe && ioctl(STDERR_FILENO, FIONREAD, &waiting) == 0 && waiting > 0 && now_ns() < until) usleep(1000);
  const std::string line = report_line(end, settings_.mark) + "\n";
  write_all(STDERR_FILENO, std::as_bytes(std::span(line)));
}

}  // namespace

int guard(const GuardSettings& settings) { return Guard(settings).run(); }

}  // namespace edgelab::batch
