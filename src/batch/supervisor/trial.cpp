#include "batch/supervisor/trial.hpp"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <vector>

#include "batch/supervisor/last_words.hpp"
#include "batch/supervisor/mpirun_command.hpp"
#include "batch/supervisor/subprocess.hpp"
#include "core/clock.hpp"
#include "core/file.hpp"

namespace edgelab::batch {
namespace {

constexpr std::int64_t kLimitNs = 30'000'000'000;

// One start of mpirun on a few hosts, a rank each.
class Trial {
 public:
  Trial(const std::filesystem::path& program, const ClusterSpec& cluster, std::vector<HostSpec> hosts, const std::filesystem::path& host_file) {
    ClusterSpec some = cluster;
    for (HostSpec& host : hosts) host.ranks = 1;
    some.hosts = std::move(hosts);
    replace_file(host_file, mpi_host_file(some));
    const std::vector<std::string> arguments = mpirun_arguments(some.ranks(), host_file, variables_to_export(environment_with({})), {program.string(), "meet"});
    mpirun_ = std::make_unique<Subprocess>(arguments, mpirun_variables(some, geteuid() == 0));
  }

  bool over() {
    const std::optional<int> code = mpirun_->ended();
    words_.add(mpirun_->read_output());
    if (!code && now_ns() < end_ns_) return false;
    failure_ = !code ? fmt::format("a trial did not get there in {} s", kLimitNs / 1'000'000'000) : *code != 0 ? said() : "";
    if (!code) mpirun_.reset();  // killed
    return true;
  }
  // Once it is over; empty if it went well.
  const std::string& failure() const { return failure_; }

 private:
  // The first line that is a sentence: mpirun frames what it says with dashes, and tells what else may be the matter after that.
  std::string said() const {
    for (const std::string& line : words_.lines()) {
      if (line.find_first_not_of("-* \t") != std::string::npos) return line;
    }
    return "mpirun says nothing of why";
  }

  std::unique_ptr<Subprocess> mpirun_;
  const std::int64_t end_ns_ = now_ns() + kLimitNs;
  LastWords words_;
  std::string failure_;
};

void wait_for(std::map<std::string, std::unique_ptr<Trial>> open, std::map<std::string, std::string>& failures) {
  while (!open.empty()) {
    std::erase_if(open, [&](auto& entry) {
      if (!entry.second->over()) return false;
      if (!entry.second->failure().empty()) failures[entry.first] = entry.second->failure();
      return true;
    });
    const timespec pause{0, 10'000'000};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace

std::map<std::string, std::string> hosts_that_fail(const std::filesystem::path& program, const ClusterSpec& cluster, const std::filesystem::path& folder) {
  std::map<std::string, std::string> failures;
  std::map<std::string, std::unique_ptr<Trial>> trials;
  const HostSpec& own = cluster.hosts.front();
  trials[own.name] = std::make_unique<Trial>(program, cluster, std::vector{own}, folder / "trial-hosts");
  wait_for(std::move(trials), failures);
  if (!failures.empty()) return {};
  trials.clear();
  for (std::size_t host = 1; host < cluster.hosts.size(); ++host) {
    trials[cluster.hosts[host].name] =
        std::make_unique<Trial>(program, cluster, std::vector{own, cluster.hosts[host]}, folder / fmt::format("trial-hosts-{}", host));
  }
  wait_for(std::move(trials), failures);
  return failures;
}

}  // namespace edgelab::batch
