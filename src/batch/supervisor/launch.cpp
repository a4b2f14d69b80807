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
constexpr std::int64_t kStragglersNs = 5'000'000'000;  // after rank 0's end, until mpirun is told to kill
constexpr std::int64_t kLastWordsNs = 500'000'000;  // for what is still in the pipe when mpirun has ended and something else holds it open

class Run {
 public:
  Run(const Launch& launch, const std::function<void(std::string_view)>& pass_on)
      : launch_(launch), pass_on_(pass_on), filter_(launch.mark), mpirun_(launch.arguments, launch.variables) {}

  LaunchEnd run() {
    while (!mpirun_.ended()) {
      take_output();
      pass_signal_on();
      end_stragglers();
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
    hand_on_ends();
    const bool open = (news.revents & POLLHUP) == 0 || !text.empty();
    if (!open) {
      const timespec pause{0, 10'000'000};  // poll no longer waits
      nanosleep(&pause, nullptr);
    }
    return open;
  }

  void hand_on_ends() {
    for (; handed_on_ < filter_.ends().size(); ++handed_on_) {
      const RankEnd& end = filter_.ends()[handed_on_];
      if (end.rank == 0 && leader_ended_ns_ == 0) leader_ended_ns_ = now_ns();
      if (launch_.rank_ended) launch_.rank_ended(end);
      // Before rank 0 has begun the ranks may still wait for each other in MPI_Init, which survives nothing.
      if (end.rank != 0 && launch_.survives && !launch_.began()) tell_to_kill();
    }
  }

  // Without survival mpirun ends all ranks when rank 0 ends. With it they end because rank 0 said so, or because they miss it; one that
  // is stopped, or on a host that is out of reach, would keep mpirun for ever.
  void end_stragglers() {
    if (launch_.survives && leader_ended_ns_ != 0 && now_ns() - leader_ended_ns_ > kStragglersNs) tell_to_kill();
  }

  // SIGTERM first: mpirun then ends its daemons on the other hosts, if it is still in its senses.
  void tell_to_kill() {
    if (kill_at_ns_ != 0) return;
    mpirun_.send(SIGTERM);
    kill_at_ns_ = now_ns() + kMarginNs;
  }

  void pass_signal_on() {
    const std::int64_t now = now_ns();
    if (signal_ == 0) {
      signal_ = SignalWatch::received();
      if (signal_ == 0) return;
      ordered_at_ns_ = now;
    }
    if (now > ordered_at_ns_ + launch_.grace.count() + kMarginNs) {
      tell_to_kill();
    } else if (now >= order_next_ns_) {
      // Again and again: mpirun has no guards to pass it on to while it starts them.
      mpirun_.send(signal_ == SIGINT ? SIGUSR2 : SIGUSR1);
      order_next_ns_ = now + kRepeatOrderNs;
    }
  }

  void kill_if_it_must_be() {
    if (killed_.empty() && signal_ == 0 && launch_.turn) {
      killed_ = launch_.turn();
      if (!killed_.empty()) tell_to_kill();
    }
    if (kill_at_ns_ != 0 && now_ns() >= kill_at_ns_) mpirun_.send(SIGKILL);
  }

  const Launch& launch_;
  const std::function<void(std::string_view)>& pass_on_;
  OutputFilter filter_;
  Subprocess mpirun_;
  int signal_ = 0;
  std::size_t handed_on_ = 0;  // of the filter's ends
  std::int64_t leader_ended_ns_ = 0;  // 0: not yet
  std::int64_t ordered_at_ns_ = 0, order_next_ns_ = 0;
  std::string killed_;
  std::int64_t kill_at_ns_ = 0;  // 0: never
};

}  // namespace

LaunchEnd run_mpirun(const Launch& launch, const std::function<void(std::string_view)>& pass_on) { return Run(launch, pass_on).run(); }

}  // namespace edgelab::batch
