#include "batch/slurm/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <set>

#include "batch/slurm/units.hpp"

namespace edgelab::batch::slurm {
namespace {

namespace fs = std::filesystem;

// A name that file systems, squeue's columns and Slurm's patterns leave as it is.
std::string plain_name(const std::string& text) {
  constexpr std::size_t kMost = 100;  // bytes
  std::string name = text.substr(0, kMost);
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) == 0 && std::string_view("._+-").find(c) == std::string_view::npos) c = '_';
  }
  return name;
}

// Slurm reads % as the beginning of a pattern.
std::string escaped(const std::string& text) {
  std::string shown;
  for (const char c : text) shown += c == '%' ? "%%" : std::string(1, c);
  return shown;
}

int widest(const Batch& batch, const std::vector<std::size_t>& jobs) {
  int ranks = 1;
  for (const std::size_t job : jobs) ranks = std::max(ranks, batch.jobs[job].ranks);
  return ranks;
}

std::vector<std::string> sbatch_options(const std::string& name, int ranks, const fs::path& output) {
  return {"--job-name=" + plain_name(name), fmt::format("--ntasks={}", ranks),
          "--output=" + escaped(output.parent_path()) + "/" + output.filename().string()};
}

// What the script's run of edgelab gets, whichever jobs it runs.
std::vector<std::string> common_arguments(const Request& request, const fs::path& results) {
  std::vector<std::string> arguments(request.files.begin(), request.files.end());
  for (const std::string& set : request.load.set) arguments.push_back("--set=" + set);
  arguments.push_back("--out=" + results.string());
  if (request.resume) arguments.push_back("--resume");
  return arguments;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

Submission whole(const Batch& batch, const Request& request) {
  std::vector<Error> problems;
  int ranks = 1;
  for (const tasks::JobSpec& job : batch.jobs) {
    ranks = std::max(ranks, job.ranks);
    if (!request.ranks || job.ranks <= *request.ranks) continue;
    problems.push_back(Error(ErrorKind::usage, fmt::format("job {} asks for more ranks than --ranks gives", job.id))
                           .at(job.place)
                           .got(fmt::format("{} ranks asked", job.ranks))
                           .expected(fmt::format("at most {}", *request.ranks)));
  }
  if (!problems.empty()) throw JobFileErrors(std::move(problems));
  Submission submission;
  submission.title = batch.name;
  submission.results = request.out;
  submission.output = request.out.parent_path() / "slurm-%j.out";
  submission.options = sbatch_options(batch.name, request.ranks.value_or(ranks), submission.output);
  append(submission.options, request.sbatch_options);
  submission.arguments = common_arguments(request, request.out);
  for (const std::string& id : request.load.only) submission.arguments.push_back("--only=" + id);
  if (request.load.needs_met) submission.arguments.push_back("--needs-met");
  return submission;
}

// "0-3,7%2": the members' places in the sweep, and how many tasks may run at once.
std::string array_of(const Batch& batch, const std::vector<std::size_t>& members) {
  std::vector<std::size_t> places;
  for (const std::size_t job : members) places.push_back(*batch.origins[job].place_in_sweep);
  std::string text;
  for (std::size_t at = 0; at < places.size();) {
    std::size_t end = at + 1;
    while (end < places.size() && places[end] == places[end - 1] + 1) ++end;
    text += fmt::format("{}{}", text.empty() ? "" : ",", places[at]);
    if (end - at > 1) text += fmt::format("-{}", places[end - 1]);
    at = end;
  }
  const std::optional<int> at_once = batch.jobs[members.front()].max_parallel;
  return at_once ? fmt::format("{}%{}", text, *at_once) : text;
}

// Names for files, none twice: ids may differ in what plain_name leaves out.
std::vector<std::string> file_names(const std::vector<Unit>& units) {
  std::set<std::string> taken;
  std::vector<std::string> names;
  for (const Unit& unit : units) {
    const std::string plain = plain_name(unit.id);
    std::string name = plain;
    for (int number = 2; !taken.insert(name).second; ++number) name = fmt::format("{}-{}", plain, number);
    names.push_back(std::move(name));
  }
  return names;
}

// Slurm's own priorities are the site's; a nice value, which lowers them, is every user's, so the highest keeps its place.
std::vector<std::int64_t> nice_values(const Batch& batch, const std::vector<Unit>& units) {
  std::vector<std::int64_t> values;
  for (const Unit& unit : units) {
    std::int64_t priority = std::numeric_limits<std::int64_t>::min();
    for (const std::size_t job : unit.jobs) priority = std::max<std::int64_t>(priority, batch.jobs[job].priority);
    values.push_back(-priority);
  }
  const std::int64_t least = *std::min_element(values.begin(), values.end());
  for (std::int64_t& value : values) value -= least;
  return values;
}

Submission submission_of(const Unit& unit, const std::string& name, std::int64_t nice, const Batch& batch,
                         const Request& request) {
  const fs::path folder = request.out.parent_path();
  const std::string stem = request.out.stem().string() + "." + name;
  const std::string extension = request.out.extension().string();
  std::vector<std::size_t> jobs = unit.jobs;
  jobs.insert(jobs.end(), unit.along.begin(), unit.along.end());
  Submission submission;
  submission.after = unit.after;
  submission.title = fmt::format("{}: {}", batch.name, unit.id);
  submission.results = folder / (stem + (unit.sweep ? ".%a" : "") + extension);
  submission.output = folder / (unit.sweep ? "slurm-%A_%a.out" : "slurm-%j.out");
  submission.options = sbatch_options(batch.name + "." + name, widest(batch, jobs), submission.output);
  submission.arguments = common_arguments(request, submission.results);
  submission.arguments.push_back("--needs-met");
  if (unit.sweep) {
    submission.title += fmt::format(" ({} tasks)", unit.jobs.size());
    submission.options.push_back("--array=" + array_of(batch, unit.jobs));
    submission.arguments.push_back("--only=" + unit.id + "[#%a]");
  } else {
    for (const std::size_t job : unit.jobs) submission.arguments.push_back("--only=" + batch.jobs[job].id);
  }
  if (nice > 0) submission.options.push_back(fmt::format("--nice={}", nice));
  append(submission.options, request.sbatch_options);
  return submission;
}

// In an array's arguments the script puts the task's number where %a stands.
void refuse_array_patterns(const Request& request, const std::vector<Unit>& units) {
  std::vector<std::string> texts(request.files.begin(), request.files.end());
  append(texts, request.load.set);
  texts.push_back(request.out.string());
  for (const Unit& unit : units) {
    if (unit.sweep) texts.push_back(unit.id);
  }
  for (const std::string& text : texts) {
    if (text.find("%a") == std::string::npos) continue;
    throw Error(ErrorKind::usage, "with --array, %a may stand in no name, since an array's task has its number there")
        .got("\"" + text + "\"")
        .hint("choose another name");
  }
}

}  // namespace

std::vector<Submission> plan(const Batch& batch, const Request& request) {
  if (!request.arrays) return {whole(batch, request)};
  const std::vector<Unit> units = units_of(batch);
  refuse_array_patterns(request, units);
  const std::vector<std::string> names = file_names(units);
  const std::vector<std::int64_t> nice = nice_values(batch, units);
  std::vector<Submission> submissions;
  for (std::size_t at = 0; at < units.size(); ++at)
    submissions.push_back(submission_of(units[at], names[at], nice[at], batch, request));
  return submissions;
}

std::vector<std::string> sbatch_command(const Submission& submission, const std::vector<std::string>& ids) {
  std::vector<std::string> command = {"sbatch", "--parsable"};
  append(command, submission.options);
  // Last, where it wins over a dependency of the user's, which those that this one waits for have.
  if (!submission.after.empty()) {
    std::string dependency = "--dependency=afterok";
    for (const std::size_t other : submission.after) dependency += ":" + ids.at(other);
    command.push_back(std::move(dependency));
    command.push_back("--kill-on-invalid-dep=yes");  // else it stands in the queue for ever once one of them has failed
  }
  command.push_back("/dev/stdin");
  append(command, submission.arguments);
  return command;
}

}  // namespace edgelab::batch::slurm
