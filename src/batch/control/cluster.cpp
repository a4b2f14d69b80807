#include "batch/control/cluster.hpp"

#include <utility>

#include "batch/session.hpp"
#include "batch/signals.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/machine.hpp"

namespace edgelab::batch {
namespace {

// Rank 0 needs the others to stay until it has written the file: a process that ends early with a code other than 0 makes
// mpirun end the rest at once. With mpirun's grace time of Cluster::kMpirunGraceNs this is 0.8 s of its one second.
constexpr std::int64_t kPatienceNs = 500'000'000;
constexpr std::int64_t kFarewellNs = 200'000'000;

WorkerSettings settings_of(const parallel::HostLayout& layout, int rank, TaskFunction run, ParseFunction parse) {
  return {std::move(run), std::move(parse), usable_cores(), layout.index_on_host(rank), layout.count_on_host(rank)};
}

bool is_for_controller(Kind kind) {
  return kind == Kind::ended || kind == Kind::progress || kind == Kind::acknowledged;
}

}  // namespace

Cluster::Cluster(const parallel::Communicator& world, TaskFunction run, ParseFunction parse, std::int64_t grace_ns)
    : layout_(world.host_layout()),
      mailbox_(world.duplicate()),
      worker_(std::make_unique<Worker>(settings_of(layout_, world.rank(), std::move(run), std::move(parse)), mailbox_, world.duplicate())),
      grace_ns_(grace_ns) {}

void Cluster::handle_as_worker(const Letter& letter) {
  switch (letter.kind) {
    case Kind::assign: worker_->assign(decode<Assign>(letter.bytes)); break;
    case Kind::cancel: worker_->cancel(decode<Number>(letter.bytes).value); break;
    case Kind::release: worker_->release(decode<Number>(letter.bytes).value); break;
    case Kind::signalled:
      if (signal_ == 0) signal_ = decode<Number>(letter.bytes).value;
      break;
    case Kind::shutdown: {
      const auto shutdown = decode<Shutdown>(letter.bytes);
      end_ = {shutdown.exit_code, shutdown.orderly, true};
      shut_down_ = true;
      break;
    }
    case Kind::acknowledged:
    case Kind::progress:
    case Kind::ended: break;  // late words of an attempt that is over
  }
}

// Moves what there is to move; false if there was nothing.
bool Cluster::exchange(Controller* controller) {
  bool busy = mailbox_.send_posted();
  while (const std::optional<Letter> letter = mailbox_.receive()) {
    busy = true;
    if (is_for_controller(letter->kind) && controller != nullptr) {
      controller->handle(*letter);
    } else {
      handle_as_worker(*letter);
    }
  }
  note_deaths(controller);
  if (busy) mailbox_.reset();
  return busy;
}

// After all that the dead have said: a job that they ended well is done.
void Cluster::note_deaths(Controller* controller) {
  const std::vector<int> ranks = mailbox_.take_deaths();
  if (ranks.empty()) return;
  lost_rank_0_ = mailbox_.dead().count(0) > 0;
  if (controller != nullptr) controller->ranks_died(ranks);
}

LoopEnd Cluster::lead(Work work, Observer observer, Steering steer) {
  const std::function<void()> turn = observer.turn;
  Controller controller(std::move(work), layout_, mailbox_, std::move(observer));
  controller.begin();
  while (!controller.finished() && !controller.stalled() && !controller.wound_up()) {
    if (signal_ == 0) signal_ = SignalWatch::received();
    if (signal_ != 0) controller.wind_up(grace_ns_);
    const bool busy = exchange(&controller);
    controller.tick();
    if (turn) turn();
    if (steer) steer(controller);
    if (!busy) mailbox_.pause();
  }
  return end_of(controller);
}

LoopEnd Cluster::end_of(Controller& controller) const {
  if (signal_ != 0) {
    controller.give_up_running();
    return {128 + signal_, false, false};
  }
  if (controller.stalled()) return {controller.lost_ranks() ? kRestartWanted : kHostsWanted, !controller.lost_ranks(), false};
  return {controller.exit_code(), !controller.lost_ranks(), true};
}

void Cluster::dismiss(const LoopEnd& end) {
  for (int rank = 1; rank < mailbox_.size(); ++rank) mailbox_.post(rank, Kind::shutdown, Shutdown{end.exit_code, end.orderly});
  const std::int64_t deadline = now_ns() + kFarewellNs;
  while (!mailbox_.all_sent() && (end.orderly || now_ns() < deadline)) mailbox_.pause();
}

void Cluster::report_signal() {
  signal_ = SignalWatch::received();
  if (signal_ == 0) return;
  signal_time_ns_ = now_ns();
  mailbox_.post(0, Kind::signalled, Number{signal_});
}

bool Cluster::gave_up_on_rank_0() const { return signal_time_ns_ != 0 && now_ns() - signal_time_ns_ > grace_ns_ + kPatienceNs; }

LoopEnd Cluster::serve() {
  while (!shut_down_) {
    if (signal_ == 0) report_signal();
    if (gave_up_on_rank_0()) return {128 + signal_, false, false};
    if (lost_rank_0_) return {exit_code_of(ErrorKind::environment), false, false};
    if (!exchange(nullptr)) mailbox_.pause();
  }
  return end_;
}

}  // namespace edgelab::batch
