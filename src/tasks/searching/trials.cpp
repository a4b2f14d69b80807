#include "tasks/searching/trials.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"
#include "parallel/numbers.hpp"
#include "tasks/measurement.hpp"

namespace edgelab::tasks {
namespace {

using search::LoggedTrial;

class Search {
 public:
  Search(const JobSpec& spec, const Searched& searched, TaskContext& context) : spec_(spec), searched_(searched), context_(context) {}

  Found run() {
    take_up();
    const std::int64_t began = now_ns(), trials = searched_.settings.trials;
    while (static_cast<std::int64_t>(done_.size()) < trials && goes_on(began)) {
      const auto first = static_cast<std::int64_t>(done_.size());
      const std::int64_t number = first + context_.communicator.rank();
      std::optional<LoggedTrial> mine;
      if (number < trials) mine = tried(number);
      add(shared(mine));
      report(context_, static_cast<double>(done_.size()) / static_cast<double>(trials), fmt::format("{} of {} trials, best {:.2f} %", done_.size(), trials, 100.0 * done_[best()].top1).c_str());
    }
    if (log_) log_->finish();
    return found();
  }

 private:
  bool leads() const { return context_.communicator.rank() == 0; }

  // What an earlier attempt tried.
  void take_up() {
    std::vector<double> numbers;
    if (leads() && !context_.folder.empty()) {
      log_.emplace(context_.folder, sha256_of_text(spec_.resolved));
      for (const LoggedTrial& trial : log_->trials()) append(numbers, trial);
    }
    parallel::Bytes bytes = parallel::bytes_of<double>(numbers);
    context_.communicator.broadcast(bytes, 0);
    unpack(parallel::values_of<double>(bytes));
  }

  // The leader's word: its log, and its clock.
  bool goes_on(std::int64_t began) const {
    const bool in_time = !searched_.settings.budget_ns || done_.empty() || now_ns() - began < *searched_.settings.budget_ns;
    std::int64_t more = in_time && !(log_ && log_->finished()) ? 1 : 0;
    context_.communicator.broadcast(std::span(&more, 1), 0);
    return more != 0;
  }

  std::vector<double> point_of(std::int64_t number) const {
    if (number == 0) return {};
    std::vector<search::Trial> known;
    for (const LoggedTrial& trial : done_) {
      if (!trial.point.empty()) known.push_back({trial.point, searched_.worth(trial)});
    }
    return search::next_point(searched_.space, known, spec_.seed, number);
  }

  // On this rank alone.
  LoggedTrial tried(std::int64_t number) {
    const std::int64_t began = now_ns();
    LoggedTrial trial{number, point_of(number), std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN(), 0, 0};
    const parallel::Communicator self = parallel::Communicator::self();
    TaskContext alone{self, context_.threads, {}, context_.cancelled, false, {}, context_.weights_of_jobs, {}};
    try {
      const results::JobRecord record = searched_.attempt(trial.point, alone);
      trial.top1 = record.summary.top1.value_or(trial.top1);
      trial.loss = record.summary.loss.value_or(trial.loss);
      trial.bytes = static_cast<std::int64_t>(alone.made_weights.size());
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {
      if (number == 0) throw;  // what the job file says itself must be possible
      log::warning(fmt::format("job {}: trial {} failed: {}", spec_.id, number, error.what()));
    }
    trial.duration_ns = now_ns() - began;
    return trial;
  }

  static void append(std::vector<double>& numbers, const LoggedTrial& trial) {
    numbers.insert(numbers.end(), {static_cast<double>(trial.number), trial.top1, trial.loss, static_cast<double>(trial.bytes), static_cast<double>(trial.duration_ns), static_cast<double>(trial.point.size())});
    numbers.insert(numbers.end(), trial.point.begin(), trial.point.end());
  }

  void unpack(const std::vector<double>& all) {
    std::span numbers(all);
    while (!numbers.empty()) {
      LoggedTrial trial{static_cast<std::int64_t>(numbers[0]), {}, numbers[1], numbers[2], static_cast<std::int64_t>(numbers[3]), static_cast<std::int64_t>(numbers[4])};
      const auto axes = static_cast<std::size_t>(numbers[5]);
      trial.point.assign(numbers.begin() + 6, numbers.begin() + 6 + static_cast<std::ptrdiff_t>(axes));
      numbers = numbers.subspan(6 + axes);
      done_.push_back(std::move(trial));
    }
  }

  std::vector<double> shared(const std::optional<LoggedTrial>& mine) const {
    std::vector<double> numbers, all;
    if (mine) append(numbers, *mine);
    for (const parallel::Bytes& bytes : context_.communicator.all_gather(std::as_bytes(std::span(numbers)))) {
      const std::vector<double> theirs = parallel::values_of<double>(bytes);
      all.insert(all.end(), theirs.begin(), theirs.end());
    }
    return all;
  }

  void add(const std::vector<double>& numbers) {
    const std::size_t before = done_.size();
    unpack(numbers);
    for (std::size_t i = before; log_ && i < done_.size(); ++i) log_->add(done_[i]);
  }

  std::size_t best() const {
    std::size_t found = 0;
    double most = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < done_.size(); ++i) {
      const double worth = searched_.worth(done_[i]);
      if (worth > most) most = worth, found = i;
    }
    return found;
  }

  Found found() const {
    Found result{done_[best()].point, {}};
    for (const LoggedTrial& trial : done_) {
      const std::string text = trial.point.empty() ? "as the job file says" : search::text_of(searched_.space, trial.point);
      result.trials.push_back({trial.number, text, trial.top1, trial.loss, trial.bytes, trial.duration_ns, trial.number == done_[best()].number});
    }
    if (leads()) log::info(fmt::format("job {}: of {} trials the best is number {}: {}", spec_.id, done_.size(), done_[best()].number, result.trials[best()].settings));
    return result;
  }

  const JobSpec& spec_;
  const Searched& searched_;
  TaskContext& context_;
  std::optional<search::TrialLog> log_;  // of the leader
  std::vector<LoggedTrial> done_;
};

}  // namespace

Found search_settings(const JobSpec& spec, const Searched& searched, TaskContext& context) { return Search(spec, searched, context).run(); }

}  // namespace edgelab::tasks
