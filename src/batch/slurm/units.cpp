#include "batch/slurm/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "batch/job_file/needs.hpp"

namespace edgelab::batch::slurm {
namespace {

constexpr const char* kWithoutArrays = "submit it without --array";

// Members of a sweep stand at one place and would say the same many times over.
class Problems {
 public:
  void add(const tasks::JobSpec& job, std::string what, std::string hint) {
    Error error = Error(ErrorKind::usage, std::move(what)).at(job.place).hint(std::move(hint));
    if (told_.insert(error.what()).second) errors_.push_back(std::move(error));
  }
  void throw_if_any() {
    if (!errors_.empty()) throw JobFileErrors(std::move(errors_));
  }

 private:
  std::set<std::string> told_;
  std::vector<Error> errors_;
};

bool is_member(const Batch& batch, std::size_t job) { return batch.origins[job].place_in_sweep.has_value(); }

// A name for the job in messages: its sweep's, if it has one.
const std::string& name_of(const Batch& batch, std::size_t job) {
  return is_member(batch, job) ? batch.jobs[job].sweep : batch.jobs[job].id;
}

bool makes_a_model(tasks::Task task) {
  return task == tasks::Task::train || task == tasks::Task::prune || task == tasks::Task::quantize;
}

void refuse_what_arrays_cannot(const Batch& batch, Problems& problems) {
  for (std::size_t job = 0; job < batch.jobs.size(); ++job) {
    const tasks::JobSpec& spec = batch.jobs[job];
    if (spec.stop_on_failure) {
      problems.add(spec, fmt::format("\"{}\" says on_failure: stop, which job arrays can't do", name_of(batch, job)),
                   kWithoutArrays);
    }
    for (const std::size_t other : batch.origins[job].refers_to) {
      if (!is_member(batch, other)) continue;
      problems.add(spec,
                   fmt::format("\"{}\" refers to \"{}\", which runs in an array task of its own and leaves it nothing",
                               name_of(batch, job), batch.jobs[other].id),
                   kWithoutArrays);
    }
  }
}

// By job: the first of the jobs that must share a run with it, itself included. A sweep's members share nothing, and stand
// for their sweep by its first member.
class Groups {
 public:
  explicit Groups(const Batch& batch) : first_(batch.jobs.size()) {
    std::iota(first_.begin(), first_.end(), std::size_t{0});
    std::map<std::string, std::size_t> sweeps;
    for (std::size_t job = 0; job < batch.jobs.size(); ++job) {
      if (is_member(batch, job)) {
        first_[job] = sweeps.emplace(batch.jobs[job].sweep, job).first->second;
      } else {
        for (const std::size_t other : batch.origins[job].refers_to) join(job, other);
      }
    }
  }

  std::size_t of(std::size_t job) const {
    while (first_[job] != job) job = first_[job];
    return job;
  }

 private:
  void join(std::size_t a, std::size_t b) {
    const std::size_t low = std::min(of(a), of(b)), high = std::max(of(a), of(b));
    first_[high] = low;
  }

  std::vector<std::size_t> first_;
};

// What the jobs refer to, and what that refers to, beside themselves.
std::vector<std::size_t> referred_beside(const std::vector<std::size_t>& jobs, const Batch& batch) {
  std::set<std::size_t> reached(jobs.begin(), jobs.end());
  std::vector<std::size_t> open = jobs, beside;
  while (!open.empty()) {
    const std::size_t job = open.back();
    open.pop_back();
    for (const std::size_t other : batch.origins[job].refers_to) {
      if (!reached.insert(other).second) continue;
      open.push_back(other);
      beside.push_back(other);
    }
  }
  std::sort(beside.begin(), beside.end());
  return beside;
}

std::vector<Unit> gathered(const Batch& batch, const Groups& groups, std::vector<std::size_t>& unit_of,
                           Problems& problems) {
  std::map<std::size_t, std::size_t> unit_of_first;
  std::vector<Unit> units;
  for (std::size_t job = 0; job < batch.jobs.size(); ++job) {
    const auto [found, added] = unit_of_first.emplace(groups.of(job), units.size());
    if (added) units.push_back({name_of(batch, job), is_member(batch, job), {}, {}, {}});
    units[found->second].jobs.push_back(job);
    unit_of[job] = found->second;
  }
  for (Unit& unit : units) {
    if (!unit.sweep) continue;
    unit.along = referred_beside(unit.jobs, batch);
    for (const std::size_t job : unit.along) {
      if (!makes_a_model(batch.jobs[job].task)) continue;
      problems.add(batch.jobs[unit.jobs.front()],
                   fmt::format("the sweep \"{}\" builds on \"{}\", which each of its array tasks would do over again",
                               unit.id, batch.jobs[job].id),
                   fmt::format("{}, or make the model first and give its file as weights", kWithoutArrays));
    }
  }
  return units;
}

void wait_for_needs(std::vector<Unit>& units, const Batch& batch, const std::vector<std::size_t>& unit_of) {
  const NeedsGraph graph(batch.jobs);
  for (Unit& unit : units) {
    std::set<std::size_t> here(unit.jobs.begin(), unit.jobs.end());
    here.insert(unit.along.begin(), unit.along.end());
    std::set<std::size_t> after;
    for (const std::size_t job : here) {
      for (const std::size_t need : graph.needs(job)) {
        if (!here.contains(need)) after.insert(unit_of[need]);
      }
    }
    unit.after.assign(after.begin(), after.end());
  }
}

std::vector<Unit> in_order(std::vector<Unit> units, const Batch& batch, Problems& problems) {
  std::vector<std::vector<std::size_t>> after;
  for (const Unit& unit : units) after.push_back(unit.after);
  const NeedsGraph graph(std::move(after));
  for (const std::vector<std::size_t>& cycle : graph.cycles()) {
    std::string way;
    for (const std::size_t unit : cycle) way += "\"" + units[unit].id + "\" → ";
    const Unit& first = units[cycle.front()];
    problems.add(batch.jobs[first.jobs.front()],
                 fmt::format("jobs that refer to one another run together, and so {}\"{}\" would wait for one another",
                             way, first.id),
                 kWithoutArrays);
  }
  problems.throw_if_any();
  std::vector<std::size_t> place(units.size());
  for (std::size_t at = 0; at < units.size(); ++at) place[graph.order()[at]] = at;
  std::vector<Unit> ordered;
  for (const std::size_t unit : graph.order()) {
    for (std::size_t& other : units[unit].after) other = place[other];
    std::sort(units[unit].after.begin(), units[unit].after.end());
    ordered.push_back(std::move(units[unit]));
  }
  return ordered;
}

}  // namespace

std::vector<Unit> units_of(const Batch& batch) {
  Problems problems;
  refuse_what_arrays_cannot(batch, problems);
  std::vector<std::size_t> unit_of(batch.jobs.size());
  std::vector<Unit> units = gathered(batch, Groups(batch), unit_of, problems);
  wait_for_needs(units, batch, unit_of);
  return in_order(std::move(units), batch, problems);
}

}  // namespace edgelab::batch::slurm
