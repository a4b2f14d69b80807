#include "batch/supervisor/leader_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"

namespace edgelab::batch {
namespace {

using nlohmann::json;

constexpr const char *kBatch = "batch.json", *kAway = "away.json", *kUp = "leader_is_up", *kBeat = "beat", *kBack = "hosts_are_back";
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

// An optional cluster by way of a job file that has nothing else.
std::string text_of(const std::optional<ClusterSpec>& cluster) { return cluster ? resolved_file("cluster", {}, cluster) : ""; }

std::optional<ClusterSpec> cluster_of(const std::string& text) {
  LoadOptions options;
  options.cluster_suffices = true;
  return text.empty() ? std::nullopt : load_batch_text("cluster", text, options).cluster;
}

bool is_there(const std::filesystem::path& path) {
  std::error_code none;
  return std::filesystem::exists(path, none);
}

void touch(const std::filesystem::path& path) {
  const FileDescriptor file = open_file(path, O_WRONLY | O_CREAT | O_NOFOLLOW);
  if (file.open()) futimens(file.number(), nullptr);
}

}  // namespace

void LeaderFolder::hand_over(const Batch& batch) const {
  json body = {{"name", batch.name}, {"resolved", batch.resolved}, {"cluster", text_of(batch.cluster)}, {"files", json::array()}, {"jobs", json::array()}};
  for (const std::filesystem::path& file : batch.files) body["files"].push_back(file.string());
  for (const tasks::JobSpec& job : batch.jobs) {
    body["jobs"].push_back({{"spec", job.resolved}, {"file", job.place.file}, {"line", job.place.line}, {"column", job.place.column}});
  }
  replace_file(path_ / kBatch, body.dump(-1, ' ', false, json::error_handler_t::replace));
}

Batch LeaderFolder::batch() const {
  const std::vector<std::uint8_t> bytes = read_file(path_ / kBatch, kMostBytes, Links::refuse);
  Batch batch;
  try {
    const json body = json::parse(bytes);
    batch.name = body.at("name");
    batch.resolved = body.at("resolved");
    batch.cluster = cluster_of(body.at("cluster"));
    for (const json& file : body.at("files")) batch.files.emplace_back(file.get<std::string>());
    for (const json& each : body.at("jobs")) {
      tasks::JobSpec job = parse_resolved_job(each.at("spec"));
      job.place = {each.at("file"), each.at("line"), each.at("column")};
      batch.jobs.push_back(std::move(job));
    }
  } catch (const json::exception& error) {
    throw Error(ErrorKind::environment, "the batch that the supervisor hands over can't be read").at({(path_ / kBatch).string()}).got(error.what());
  }
  return batch;
}

void LeaderFolder::prepare_start(const std::vector<AwayHost>& away) const {
  for (const char* name : {kUp, kBeat, kBack}) remove_file(path_ / name);
  json list = json::array();
  for (const AwayHost& host : away) list.push_back({{"name", host.name}, {"ranks", host.ranks}});
  replace_file(path_ / kAway, list.dump());
}

bool LeaderFolder::leader_is_up() const { return is_there(path_ / kUp); }

// The kernel's clock for files goes in steps of some milliseconds, and may be set: nothing here is exact.
std::chrono::nanoseconds LeaderFolder::silence() const {
  std::error_code none;
  const auto beat = std::filesystem::last_write_time(path_ / kBeat, none);
  return none ? std::chrono::nanoseconds(0) : std::filesystem::file_time_type::clock::now() - beat;
}

void LeaderFolder::say_that_hosts_are_back() const { touch(path_ / kBack); }

std::vector<AwayHost> LeaderFolder::away() const {
  std::vector<AwayHost> away;
  const json list = json::parse(read_file(path_ / kAway, kMostBytes, Links::refuse), nullptr, false);
  if (!list.is_array()) return away;
  for (const json& host : list) away.push_back({host.value("name", ""), host.value("ranks", 0)});
  return away;
}

void LeaderFolder::say_that_leader_is_up() const { touch(path_ / kUp); }
void LeaderFolder::beat() const { touch(path_ / kBeat); }
bool LeaderFolder::hosts_are_back() const { return is_there(path_ / kBack); }

}  // namespace edgelab::batch
