#include "batch/control/worker.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "batch/core_share.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/machine.hpp"
#include "parallel/failures.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::batch {
namespace {

constexpr std::int64_t kProgressIntervalNs = 250'000'000;  // a person reads no faster, and a job may call a million times

std::function<void(const tasks::ProgressReport&)> progress_to(Mailbox& mailbox, int tag, bool leads) {
  if (!leads) return [](const tasks::ProgressReport&) {};
  return [&mailbox, tag, last = std::int64_t{0}](const tasks::ProgressReport& report) mutable {
    const std::int64_t now = now_ns();
    if (last != 0 && now - last < kProgressIntervalNs) return;
    last = now;
    mailbox.post(0, Kind::progress, Progress{tag, report});
  };
}

// Runs `body` and says how it ended. No exception leaves a thread.
template <class Body> void guarded(Ended& ended, Body body) {
  ended.end = static_cast<int>(MemberEnd::failed);
  try {
    body();
    ended.end = static_cast<int>(MemberEnd::ok);
  } catch (const Cancelled&) {
    ended.end = static_cast<int>(MemberEnd::cancelled);
  } catch (const parallel::PeerFailed&) {
    ended.end = static_cast<int>(MemberEnd::orphaned);
  } catch (const Error& error) {
    ended.exit_code = exit_code_of(error.kind());
    ended.error = error.what();
  } catch (const std::bad_alloc&) {
    ended.exit_code = exit_code_of(ErrorKind::environment);
    ended.error = "out of memory";
  } catch (const std::exception& error) {
    ended.error = error.what();
  } catch (...) {
    ended.error = "an exception of unknown type";
  }
}

}  // namespace

Worker::Worker(WorkerSettings settings, Mailbox& mailbox, parallel::Communicator world)
    : settings_(std::move(settings)), mailbox_(mailbox), world_(std::move(world)) {}

Worker::~Worker() {
  if (token_ != nullptr) {
    token_->stop();
    token_->release();
  }
  if (thread_.joinable()) thread_.join();
}

Ended Worker::run(const Assign& assignment, const WorkerSettings& settings, const parallel::Communicator& world, Mailbox& mailbox,
                  const std::shared_ptr<CancelToken>& token) {
  Ended ended;
  ended.tag = assignment.tag;
  guarded(ended, [&] {
    // First of all, and whatever happens next: the other members wait in here for this one.
    const parallel::Communicator communicator = world.create_group(assignment.ranks, assignment.tag, token);
    const tasks::JobSpec job = settings.parse(assignment.resolved);
    bind_to_cores(cores_of_job(settings.cores, settings.index_on_host, settings.ranks_on_host, job.threads));
    const int share = static_cast<int>(core_share(settings.cores, settings.index_on_host, settings.ranks_on_host).size());
    const bool leads = communicator.rank() == 0;
    tasks::TaskContext context{communicator, job.threads.value_or(share), progress_to(mailbox, assignment.tag, leads),
                               [token] { return token->stopping(); }, assignment.want_logits, assignment.folder, {}, {}};
    context.index_on_host = settings.index_on_host;
    context.ranks_on_host = settings.ranks_on_host;
    for (const JobWeights& made : assignment.weights) context.weights_of_jobs.emplace(made.job, made.file);
    const results::JobRecord record = settings.run(job, context);
    if (token->stopping()) throw Cancelled();
    if (!leads) return;
    ended.record = results::to_bytes(record);
    ended.weights = std::move(context.made_weights);
  });
  return ended;
}

void Worker::assign(Assign assignment) {
  if (thread_.joinable()) thread_.join();
  tag_ = assignment.tag;
  token_ = std::make_shared<CancelToken>();
  thread_ = std::thread([this, assignment = std::move(assignment), token = token_] {
    mailbox_.post(0, Kind::ended, run(assignment, settings_, world_, mailbox_, token));
  });
}

void Worker::cancel(int tag) {
  if (tag != tag_) return;  // it has ended, and its `ended` is on the way
  token_->stop();
  Acknowledged word{tag};
  if (const std::optional<CancelToken::Wait> wait = token_->wait()) {
    word.peer = wait->peer;
    word.waited_ns = std::max<std::int64_t>(0, now_ns() - 1'000'000 * wait->since_ms);
  }
  mailbox_.post(0, Kind::acknowledged, word);
}

void Worker::release(int tag) {
  if (tag == tag_) token_->release();
}

}  // namespace edgelab::batch
