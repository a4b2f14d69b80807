#include "results/compare/baseline.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json_numbers.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::results {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

std::string text_of_file(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return "";
  const std::vector<std::uint8_t> bytes = read_file(path, kMostBytes);
  return {bytes.begin(), bytes.end()};
}

RunRecord what_comparisons_read(RunRecord run) {
  run.links = {};
  run.provenance.resolved.clear();
  for (JobRecord& job : run.jobs) {
    job.layers.clear();
    job.logits.clear();
    job.keep_logits = false;
    job.ranks.clear();
    job.telemetry.clear();
    job.training.clear();
    job.sensitivity.clear();
    job.expectations.clear();
    job.energy.clear();
    job.class_names.clear();
    job.mistakes.clear();
    job.trials.clear();
  }
  return run;
}

std::string line_of(const RunRecord& whole, const std::string& name, std::int64_t accepted_wall_ns) {
  const RunRecord run = what_comparisons_read(whole);
  nlohmann::ordered_json line = {{"accepted_wall_ns", accepted_wall_ns}, {"name", name}};
  line["frame"] = nlohmann::ordered_json::parse(frame_json_text(run));
  line["jobs"] = nlohmann::ordered_json::array();
  for (const JobRecord& job : run.jobs) line["jobs"].push_back(nlohmann::ordered_json::parse(to_json_text(job)));
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void add_line(std::vector<AcceptedSide>& accepted, const std::string& text) {
  const auto line = nlohmann::ordered_json::parse(text);
  const auto when = whole_number<std::int64_t>(line.at("accepted_wall_ns"));
  if (accepted.empty() || accepted.back().accepted_wall_ns != when)
    accepted.push_back({when, {line.at("name").get<std::string>(), {}}});
  RunRecord run = frame_from_json_text(line.at("frame").dump());
  for (const auto& job : line.at("jobs")) run.jobs.push_back(job_record_from_json_text(job.dump()));
  accepted.back().side.runs.push_back(std::move(run));
}

}  // namespace

std::vector<AcceptedSide> read_baseline(const std::filesystem::path& path) {
  std::vector<AcceptedSide> accepted;
  const std::string text = text_of_file(path);
  int number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const auto unreadable = [&](const char* why) {
      return Error(ErrorKind::data, std::string("a line of the baseline can't be read: ") + why)
          .at({path.string(), number})
          .hint("take the line out, or start a new baseline with --accept");
    };
    ++number;
    try {
      if (end > at) add_line(accepted, text.substr(at, end - at));
    } catch (const nlohmann::json::exception& error) {
      throw unreadable(error.what());
    } catch (const Error& error) {
      throw unreadable(error.what());
    }
    at = end + 1;
  }
  return accepted;
}

void accept_into_baseline(const std::filesystem::path& path, const Side& side, std::int64_t accepted_wall_ns) {
  std::string text = text_of_file(path);
  if (!text.empty() && text.back() != '\n') text += "\n";
  for (const RunRecord& run : side.runs) text += line_of(run, side.name, accepted_wall_ns);
  if (path.has_parent_path()) make_folders(path.parent_path());
  replace_file(path, text);
}

std::vector<AcceptedSide> of_same_machines(const std::vector<AcceptedSide>& accepted, const Side& side) {
  std::vector<AcceptedSide> same;
  std::copy_if(accepted.begin(), accepted.end(), std::back_inserter(same),
               [&](const AcceptedSide& other) { return machines_of(other.side) == machines_of(side); });
  return same;
}

}  // namespace edgelab::results
