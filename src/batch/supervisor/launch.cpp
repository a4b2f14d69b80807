#include "batch/supervisor/launch.hpp"

#include <poll.h>
#include <time.h>

#include <csignal>

#include "batch/signals.hpp"
#include "batch/supervisor/output_filter.hpp"
#include "batch/supervisor/subprocess.hpp"
#include "core/clock.hpp"

namespace edgelab::batch {
namespace {

constexpr int kTurnMs = 100;
constexpr std::int64_t kRepeatOrderNs = 1'000'000'000;
constexpr std::int64_t kMarginNs = 5'000'000'000;   // after the grace time, until mpirun is told to kill; once more, until it is killed
constexpr std::int64_t kLastWordsNs = 500'000'000;  // for what is still in the pipe when mpirun has ended and something else holds it open

class Run {
 public:
  Run(const Launch& launch, const std::function<void(std::string_view)>& pass_on)
      : launch_(launch), pass_on_(pass_on), filter_(launch.mark), mpirun_(launch.arguments, launch.variables) {}

  LaunchEnd run() {
    while (!mpirun_.ended()) {
      take_output();
      pass_signal_on();
      kill_if_it_must_be();
    }
    const std::int64_t until = now_ns() + kLastWordsNs;
    while (take_output() && now_ns() < until) {
    }
    pass_on_(filter_.finish());
    return {{*mpirun_.ended(), filter_.ends(), {}}, signal_, filter_.paragraphs(), killed_};
  }

 private:
  // False at the end of the stream.
  bool take_output() {
    pollfd news{mpirun_.output(), POLLIN, 0};
    poll(&news, 1, kTurnMs);
    const std::string text = mpirun_.read_output();
    if (!text.empty()) pass_on_(filter_.take(text));
    const bool open = (news.revents & POLLHUP) == 0 || !text.empty();
    if (!open) {
      const timespec pause{0, 10'000'000};  // poll no longer waits
      nanosleep(&pause, nullptr);
    }
    return open;
  }

  void pass_signal_on() {
    const std::int64_t now = now_ns();
    if (signal_ == 0) {
      signal_ = SignalWatch::received();
      if (signal_ == 0) return;
      ordered_at_ns_ = now;
    }
    const std::int64_t deadline = ordered_at_ns_ + launch_.grace.count() + kMarginNs;
    if (now > deadline + kMarginNs) {
      mpirun_.send(SIGKILL);
    } else if (now > deadline) {
      if (!told_to_kill_) mpirun_.send(SIGTERM);
      told_to_kill_ = true;
    } else if (now >= order_next_ns_) {
      // Again and again: mpirun has no guards to pass it on to while it starts them.
      mpirun_.send(signal_ == SIGINT ? SIGUSR2 : SIGUSR1);
      order_next_ns_ = now + kRepeatOrderNs;
    }
  }

  // SIGTERM first: mpirun then ends its daemons on the other hosts, if it is still in its senses.
  void kill_if_it_must_be() {
    if (killed_.empty() && signal_ == 0 && launch_.turn) {
      killed_ = launch_.turn();
      if (killed_.empty()) return;
      mpirun_.send(SIGTERM);
      kill_at_ns_ = now_ns() + kMarginNs;
    }
    if (!killed_.empty() && now_ns() >= kill_at_ns_) mpirun_.send(SIGKILL);
  }

  const Launch& launch_;
  const std::function<void(std::string_view)>& pass_on_;
  OutputFilter filter_;
  Subprocess mpirun_;
  int signal_ = 0;
  std::int64_t ordered_at_ns_ = 0, order_next_ns_ = 0;
  bool told_to_kill_ = false;
  std::string killed_;
  std::int64_t kill_at_ns_ = 0;
};

}  // namespace

LaunchEnd run_mpirun(const Launch& launch, const std::function<void(std::string_view)>& pass_on) { return Run(launch, pass_on).run(); }

}  // namespace edgelab::batch
