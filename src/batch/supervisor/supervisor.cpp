#include "batch/supervisor/supervisor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "batch/signals.hpp"
#include "batch/supervisor/blame.hpp"
#include "batch/supervisor/host_ledger.hpp"
#include "batch/supervisor/hosts.hpp"
#include "batch/supervisor/journal_state.hpp"
#include "batch/supervisor/launch.hpp"
#include "batch/supervisor/mpirun_command.hpp"
#include "batch/supervisor/private_folder.hpp"
#include "batch/supervisor/restart_policy.hpp"
#include "batch/supervisor/subprocess.hpp"
#include "batch/supervisor/supervisor_lock.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "results/hdf5/run_file.hpp"

namespace edgelab::batch {
namespace {

constexpr int kJobFailed = 1;  // exit code; docs/jobs.md

std::string random_word() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

// Jobs that joined the running batch stand in its journal alone. What can't be read is passed over: such jobs get no more
// attempts.
std::vector<tasks::JobSpec> jobs_of(const std::vector<AddedFact>& added) {
  std::vector<tasks::JobSpec> jobs;
  for (const AddedFact& fact : added) {
    try {
      for (tasks::JobSpec& job : load_batch_text(fact.name, fact.text).jobs) jobs.push_back(std::move(job));
    } catch (const JobFileErrors&) {
    }
  }
  return jobs;
}

class Supervisor {
 public:
  explicit Supervisor(const Supervision& supervision)
      : supervision_(supervision),
        journal_(results::journal_path_of(supervision.results_file)),
        session_(random_word()),
        lock_(supervision.results_file),
        ledger_(supervision.cluster.hosts) {}

  SupervisionEnd run();

 private:
  void begin();
  std::vector<std::string> ask_hosts();
  LaunchEnd start_mpirun();
  std::vector<std::string> rank_command(const std::string& mark) const;
  std::optional<SupervisionEnd> conclude(const LaunchEnd& end);
  std::optional<SupervisionEnd> go_on(const JournalState& before, int exit_code, bool began);
  void hold_responsible(const LaunchEnd& end, bool began);
  void note_crashes(const Finding& finding, const std::vector<HostSpec>& hosts);
  void say_what_happened(const Finding& finding, const std::vector<results::Fact>& facts);
  SupervisionEnd give_up(bool began, int exit_code) const;
  int with_failures(int exit_code) const;
  void write_results() const;
  bool wait(std::chrono::seconds pause) const;
  void say(const std::string& text) const { supervision_.say(text); }

  const Supervision& supervision_;
  const std::filesystem::path journal_;
  const std::string session_;
  const SupervisorLock lock_;
  const PrivateFolder folder_;
  HostLedger ledger_;
  Blame blame_;
  RestartPolicy policy_;
  std::vector<HostSpec> hosts_;  // of the run under way, or the next
  JournalState journal_state_;   // between two runs; empty before this session's first word
  bool ours_ = false;            // this session has begun in the journal
  int starts_ = 0;
  std::set<std::string> said_;
};

SupervisionEnd Supervisor::run() {
  begin();
  while (true) {
    const LaunchEnd end = start_mpirun();
    wait_for_journal(journal_, supervision_.say);
    if (const std::optional<SupervisionEnd> over = conclude(end)) return *over;
  }
}

void Supervisor::begin() {
  wait_for_journal(journal_, supervision_.say);
  if (supervision_.resume && !supervision_.all_hosts) ledger_.recall(read_journal_state(journal_).facts);
  ask_hosts();
}

// Decides which hosts take part in the next start. Returns those of the last that are lost.
std::vector<std::string> Supervisor::ask_hosts() {
  // Slurm ends a job that has lost a node, and queues it again; its nodes may well refuse ssh.
  const std::vector<HostSpec> in_question = supervision_.cluster.allocated ? std::vector<HostSpec>() : ledger_.to_ask();
  for (const auto& [host, answers] : reachable(in_question)) ledger_.answered(host, answers);
  const std::map<std::string, std::string> left_out = ledger_.left_out();
  std::vector<std::string> lost;
  for (const HostSpec& host : hosts_) {
    if (left_out.contains(host.name)) lost.push_back(host.name);
  }
  for (const auto& [host, why] : left_out) {
    if (said_.insert(host + why).second) say(fmt::format("{} is left out: {}", host, why));
  }
  hosts_ = ledger_.taking_part();
  return lost;
}

std::vector<std::string> Supervisor::rank_command(const std::string& mark) const {
  const std::string program = supervision_.program.string();
  const auto grace = supervision_.grace;
  std::vector<std::string> command = {program, "guard", "--mark", mark, fmt::format("--grace={}", grace.count()), "--", program, "run"};
  command.push_back("--out=" + supervision_.results_file.string());
  command.push_back("--session=" + session_);
  // Rank 0 has the last third to write the results.
  command.push_back(fmt::format("--grace={}", std::chrono::duration<double>(grace).count() * 2 / 3));
  // A restart goes on with what this session has written. Before it has written anything, that would take over an earlier
  // run, which only the user may ask for.
  if (supervision_.resume || ours_) command.push_back("--resume");
  command.insert(command.end(), supervision_.run_arguments.begin(), supervision_.run_arguments.end());
  return command;
}

LaunchEnd Supervisor::start_mpirun() {
  ++starts_;
  const std::filesystem::path host_file = folder_.path() / "hosts";
  ClusterSpec cluster = supervision_.cluster;
  cluster.hosts = hosts_;
  replace_file(host_file, mpi_host_file(cluster));
  Launch launch;
  launch.mark = random_word();
  launch.grace = supervision_.grace;
  launch.variables = mpirun_variables(cluster, geteuid() == 0);
  launch.arguments = mpirun_arguments(std::min(supervision_.ranks, cluster.ranks()), host_file, variables_to_export(environment_with({})), rank_command(launch.mark));
  return run_mpirun(launch, supervision_.pass_on);
}

std::optional<SupervisionEnd> Supervisor::conclude(const LaunchEnd& end) {
  JournalState now = read_journal_state(journal_);
  const bool was_ours = std::exchange(ours_, now.session.id == session_);
  if (!ours_) now = {};
  const bool began = ours_ && (!was_ours || now.facts.size() > journal_state_.facts.size());
  const JournalState before = std::exchange(journal_state_, std::move(now));
  const Verdict verdict = verdict_of(end.mpirun, journal_state_.complete, began);
  const bool interrupted = end.signal != 0 && !journal_state_.complete;
  if (interrupted || verdict.outcome == Outcome::finished) {
    // The leader writes the results file, if it lives to do so and does not refuse a restart.
    if (!verdict.leader_ended || (!began && !journal_state_.complete)) write_results();
    return SupervisionEnd{interrupted ? 128 + end.signal : with_failures(verdict.exit_code), journal_state_.complete};
  }
  hold_responsible(end, began);
  return go_on(before, verdict.exit_code, began);
}

void Supervisor::hold_responsible(const LaunchEnd& end, bool began) {
  const std::vector<HostSpec> hosts = hosts_;
  MpirunEnd mpirun = end.mpirun;
  mpirun.lost_hosts = ask_hosts();
  const Finding finding = blame_.find(mpirun, journal_state_.session);
  if (!finding.explained) supervision_.pass_on(end.paragraphs);
  std::vector<results::Fact> facts;
  if (began) {
    const std::vector<tasks::JobSpec> added = jobs_of(journal_state_.session.added);
    JobTable table;
    for (const tasks::JobSpec& job : supervision_.batch.jobs) table[job.id] = &job;
    for (const tasks::JobSpec& job : added) table[job.id] = &job;
    facts = facts_of(finding, journal_state_.session, table, wall_clock_ns());
  }
  say_what_happened(finding, facts);
  note_crashes(finding, hosts);
  if (!ours_) return;
  for (results::Fact& fact : ledger_.take_news()) facts.push_back(std::move(fact));
  append_facts(journal_, facts);
  journal_state_ = read_journal_state(journal_);
}

void Supervisor::note_crashes(const Finding& finding, const std::vector<HostSpec>& hosts) {
  for (const Finding::Culprit& culprit : finding.culprits) {
    if (culprit.rank >= 0) ledger_.crashed(host_of_rank(hosts, culprit.rank), culprit.job);
  }
  hosts_ = ledger_.taking_part();
}

void Supervisor::say_what_happened(const Finding& finding, const std::vector<results::Fact>& facts) {
  const auto count = [&](const char* type) { return std::count_if(facts.begin(), facts.end(), [&](const auto& fact) { return fact.type == type; }); };
  say(finding.what);
  for (const Finding::Culprit& culprit : finding.culprits) say(fmt::format("{} is held responsible", culprit.job));
  const auto failed = count("job"), bystanders = count("attempt") - static_cast<std::ptrdiff_t>(finding.culprits.size());
  if (failed > 0) say(fmt::format("{} of them {} no attempt left and {} failed", failed, failed == 1 ? "has" : "have", failed == 1 ? "has" : "have"));
  if (bystanders > 0) say(fmt::format("{} other {} had to stop; that does not count as an attempt", bystanders, bystanders == 1 ? "job" : "jobs"));
}

std::optional<SupervisionEnd> Supervisor::go_on(const JournalState& before, int exit_code, bool began) {
  const bool progress = journal_state_.ended() > before.ended() || journal_state_.attempts() > before.attempts();
  const std::optional<std::chrono::seconds> pause = policy_.after_end(began, progress);
  if (!pause) return give_up(began, exit_code);
  say(fmt::format("starting mpirun again{}", pause->count() == 0 ? "" : fmt::format(" in {} s", pause->count())));
  if (wait(*pause)) return std::nullopt;
  write_results();
  return SupervisionEnd{128 + SignalWatch::received(), false};
}

SupervisionEnd Supervisor::give_up(bool began, int exit_code) const {
  write_results();
  if (!began) {
    say("mpirun can't be brought to run this batch; given up. What it said stands above");
    return {exit_code_of(ErrorKind::environment), false};
  }
  say(fmt::format("given up: no job came to its end in the last {} of {} starts. Everything finished is in {}", RestartPolicy::kMostFruitless, starts_,
                  supervision_.results_file.string()));
  return {exit_code, false};
}

// A restarted leader counts what failed under it alone.
int Supervisor::with_failures(int exit_code) const {
  const SessionState& session = journal_state_.session;
  const bool failed = std::any_of(session.ended.begin(), session.ended.end(), [&](const auto& job) {
    return job.second == results::Status::failed && !session.cancelled.contains(job.first);
  });
  return exit_code == 0 && failed ? kJobFailed : exit_code;
}

// What the journal has, where the leader could not.
void Supervisor::write_results() const {
  if (ours_) results::write_run(supervision_.results_file, results::run_from_facts(journal_state_.facts));
}

// False if a signal came.
bool Supervisor::wait(std::chrono::seconds pause) const {
  const auto until = std::chrono::steady_clock::now() + pause;
  while (SignalWatch::received() == 0 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return SignalWatch::received() == 0;
}

}  // namespace

SupervisionEnd supervise(const Supervision& supervision) { return Supervisor(supervision).run(); }

}  // namespace edgelab::batch
