#include "batch/job_file/cross_checks.hpp"

#include <string>

namespace edgelab::batch {
namespace {

using tasks::JobSpec;
using tasks::Strategy;
using tasks::Task;

const Place& place_of(const Value& job, std::string_view dotted) {
  const Value* value = job.find_path(dotted);
  return value ? value->place : job.place;
}

void check_ways(const Value& job, const JobSpec& spec, ErrorList& errors) {
  const Value* parallel = job.find("parallel");
  if (!parallel || parallel->bad) return;
  bool any = false;
  for (const char* way : {"pipeline", "tensor", "sequence", "data"}) any = any || parallel->find(way);
  const tasks::ParallelSpec& split = spec.parallel;
  const double product = static_cast<double>(split.pipeline) * split.tensor * split.sequence * split.data;
  if (any && product != spec.ranks) {
    errors.add(usage_error(parallel->place, "the ways of \"parallel\" must multiply to the job's ranks")
                   .got(std::to_string(static_cast<long long>(product)))
                   .expected(std::to_string(spec.ranks) + ", as \"ranks\" says"),
               parallel->place);
  }
  const bool pipelined = split.strategy == Strategy::pipeline || split.pipeline > 1;
  const std::size_t stages = static_cast<std::size_t>(any ? split.pipeline : spec.ranks);
  if (pipelined && !split.partition.empty() && split.partition.size() != stages) {
    const Place& place = place_of(job, "parallel.partition");
    errors.add(usage_error(place, "\"parallel.partition\" must name every stage once")
                   .got(std::to_string(split.partition.size()) + " counts")
                   .expected(std::to_string(stages)),
               place);
  }
}

void check_task_keys(const Value& job, const JobSpec& spec, ErrorList& errors) {
  if (job.find("task")->bad) return;
  const bool runs_model =
      spec.task == Task::infer || spec.task == Task::evaluate || spec.task == Task::bench || spec.task == Task::train || spec.task == Task::prune;
  const auto missing = [&](const char* dotted, const char* section) {
    const Value* map = job.find(section);
    return !(map && map->bad) && !job.find_path(dotted);
  };
  const std::string task = "task: " + job.find("task")->text;
  if (runs_model && spec.model.weights.job.empty() && missing("model.arch", "model")) {
    errors.add(usage_error(place_of(job, "model"), task + " needs \"model.arch\"")
                   .hint("for example model: {arch: mobilenet_v2}"),
               place_of(job, "model"));
  }
  if (runs_model && spec.task != Task::bench && missing("data.dataset", "data")) {
    errors.add(usage_error(place_of(job, "data"), task + " needs \"data.dataset\"")
                   .hint("for example data: {dataset: shapes10}"),
               place_of(job, "data"));
  }
}

void check_scenario(const Value& job, const JobSpec& spec, ErrorList& errors) {
  const Value* scenario = job.find("scenario");
  if (!scenario || scenario->bad || !spec.scenario) return;
  if (spec.scenario->kind == tasks::Scenario::server && !spec.scenario->latency_bound_ns) {
    const Value* bound = scenario->find("latency_bound");
    if (bound && bound->bad) return;
    errors.add(usage_error(scenario->place, "scenario: server needs \"latency_bound\"").hint("say scenario: {kind: server, latency_bound: 15ms}"), scenario->place);
  }
  if (spec.scenario->min_duration_ns > spec.scenario->max_duration_ns) {
    const Place& place = place_of(job, "scenario.min_duration");
    errors.add(usage_error(place, "\"scenario.min_duration\" is longer than \"max_duration\""), place);
  }
}

}  // namespace

void cross_check(const Value& value, const JobSpec& spec, ErrorList& errors, bool incomplete) {
  if (!incomplete && value.find("task")) check_task_keys(value, spec, errors);
  check_ways(value, spec, errors);
  check_scenario(value, spec, errors);
}

}  // namespace edgelab::batch
