#include "batch/supervisor/supervisor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <map>
#include <thread>
#include <utility>

#include "batch/signals.hpp"
#include "batch/supervisor/blame.hpp"
#include "batch/supervisor/host_watch.hpp"
#include "batch/supervisor/interfaces.hpp"
#include "batch/supervisor/journal_state.hpp"
#include "batch/supervisor/launch.hpp"
#include "batch/supervisor/leader_folder.hpp"
#include "batch/supervisor/mpirun_command.hpp"
#include "batch/supervisor/own_program.hpp"
#include "batch/supervisor/private_folder.hpp"
#include "batch/supervisor/rank_end_log.hpp"
#include "batch/supervisor/restart_policy.hpp"
#include "batch/supervisor/subprocess.hpp"
#include "batch/supervisor/supervisor_lock.hpp"
#include "batch/supervisor/trial.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/random.hpp"
#include "results/hdf5/run_file.hpp"

namespace edgelab::batch {
namespace {

constexpr int kJobFailed = 1;  // exit code; docs/jobs.md
// Rank 0's control loop stands still while it writes the results of ten thousand jobs, for a minute on a slow card.
constexpr std::chrono::minutes kMostSilence{15};

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
        session_(random_name()),
        lock_(supervision.results_file),
        leader_folder_(folder_.path()),
        program_(supervision.program),
        watch_(supervision.cluster, supervision.host_patience, supervision.say) {}

  SupervisionEnd run();

 private:
  void begin();
  std::vector<std::string> ask_hosts();
  std::vector<AwayHost> away() const;
  LaunchEnd start_mpirun();
  std::string turn();
  std::vector<std::string> rank_command(const std::string& mark) const;
  std::filesystem::path program() const { return copy_.empty() ? program_.path() : copy_; }
  bool keep_program();
  void tell_rank_0(const RankEnd& end) const;
  std::optional<SupervisionEnd> conclude(const LaunchEnd& end);
  std::optional<SupervisionEnd> go_on(const JournalState& before, int exit_code, bool began);
  void hold_responsible(const LaunchEnd& end, bool began);
  void note_crashes(const Finding& finding, const std::vector<HostSpec>& hosts);
  void find_who_cannot_start(const LaunchEnd& end);
  void propose_interfaces() const;
  std::optional<SupervisionEnd> wait_for_hosts();
  void say_what_happened(const Finding& finding, const std::vector<results::Fact>& facts);
  SupervisionEnd give_up(bool began, int exit_code) const;
  SupervisionEnd end_without_program() const;
  int with_failures(int exit_code) const;
  void write_results() const;
  bool wait(std::chrono::seconds pause) const;
  void say(const std::string& text) const { supervision_.say(text); }

  const Supervision& supervision_;
  const std::filesystem::path journal_;
  const std::string session_;
  const SupervisorLock lock_;
  const PrivateFolder folder_;
  const LeaderFolder leader_folder_;
  const RankEndLog rank_ends_{folder_.path()};
  bool survives_ = false;  // mpirun is told to let ranks outlive each other
  const OwnProgram program_;
  std::filesystem::path copy_;  // of it, once another lies in its place
  HostWatch watch_;
  Blame blame_;
  RestartPolicy policy_;
  std::vector<HostSpec> hosts_;  // of the run under way, or the next
  JournalState journal_state_;   // between two runs; empty before this session's first word
  bool ours_ = false;            // this session has begun in the journal
  int starts_ = 0;
  std::int64_t started_ns_ = 0;
  bool said_back_ = false;  // the leader of this run knows of hosts that are back
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
  if (supervision_.resume && !supervision_.all_hosts) watch_.ledger().recall(read_journal_state(journal_).facts);
  ask_hosts();
  leader_folder_.hand_over(supervision_.batch);
  survives_ = mpirun_can_survive_failures();
}

// Decides which hosts take part in the next start. Returns those of the last that are lost.
std::vector<std::string> Supervisor::ask_hosts() {
  watch_.ask();
  const std::map<std::string, std::string> left_out = watch_.ledger().left_out();
  std::vector<std::string> lost;
  for (const HostSpec& host : hosts_) {
    if (left_out.contains(host.name)) lost.push_back(host.name);
  }
  hosts_ = watch_.ledger().taking_part();
  return lost;
}

// Hosts that may be back, with as many ranks as the next start lacks.
std::vector<AwayHost> Supervisor::away() const {
  int lacking = supervision_.ranks;
  for (const HostSpec& host : hosts_) lacking -= host.ranks;
  std::vector<AwayHost> away;
  for (const HostSpec& host : watch_.ledger().away()) {
    const int ranks = std::min(host.ranks, lacking);
    if (ranks <= 0) break;
    away.push_back({host.name, ranks});
    lacking -= ranks;
  }
  return away;
}

std::vector<std::string> Supervisor::rank_command(const std::string& mark) const {
  const std::string program = this->program().string();
  const auto grace = supervision_.grace;
  std::vector<std::string> command = {program, "guard", "--mark", mark, fmt::format("--grace={}", grace.count())};
  if (survives_) command.emplace_back("--survives");
  command.insert(command.end(), {"--", program, "run"});
  command.push_back("--out=" + supervision_.results_file.string());
  command.push_back("--session=" + session_);
  command.push_back("--leader-folder=" + leader_folder_.path().string());
  // Rank 0 has the last third to write the results.
  command.push_back(fmt::format("--grace={}", std::chrono::duration<double>(grace).count() * 2 / 3));
  // A restart goes on with what this session has written. Before it has written anything, that would take over an earlier
  // run, which only the user may ask for.
  if (supervision_.resume || ours_) command.push_back("--resume");
  command.insert(command.end(), supervision_.run_arguments.begin(), supervision_.run_arguments.end());
  return command;
}

// Every start runs the program that the batch began with: with another one no job that is done would count, since its results
// may differ. False if that one can't be had: copies on other hosts are not ours to make.
bool Supervisor::keep_program() {
  if (!copy_.empty() || program_.in_place()) return true;
  if (supervision_.cluster.hosts.size() > 1) return false;
  copy_ = folder_.path() / "edgelab";
  program_.copy_to(copy_);
  say(fmt::format("{} has been replaced since the batch began; it goes on with a copy of what it was", program_.path().string()));
  return true;
}

LaunchEnd Supervisor::start_mpirun() {
  ++starts_;
  const std::filesystem::path host_file = folder_.path() / "hosts";
  ClusterSpec cluster = supervision_.cluster;
  cluster.hosts = hosts_;
  replace_file(host_file, mpi_host_file(cluster));
  leader_folder_.prepare_start(away());
  started_ns_ = now_ns();
  said_back_ = false;
  Launch launch;
  launch.turn = [this] { return turn(); };
  launch.mark = random_name();
  launch.grace = supervision_.grace;
  launch.variables = mpirun_variables(cluster, geteuid() == 0);
  launch.arguments = mpirun_arguments(std::min(supervision_.ranks, cluster.ranks()), host_file, variables_to_export(environment_with({})),
                                      rank_command(launch.mark), survives_);
  launch.survives = survives_;
  launch.began = [this] { return leader_folder_.leader_is_up(); };
  rank_ends_.clear();
  if (survives_) launch.rank_ended = [this](const RankEnd& end) { tell_rank_0(end); };
  return run_mpirun(launch, supervision_.pass_on);
}

// While mpirun runs.
std::string Supervisor::turn() {
  if (watch_.look_for_the_lost()) {
    leader_folder_.say_that_hosts_are_back();
    said_back_ = true;
  }
  const auto waited = std::chrono::nanoseconds(now_ns() - started_ns_);
  if (!leader_folder_.leader_is_up() && waited > supervision_.start_limit) {
    return fmt::format("mpirun did not bring the ranks together in {} s", supervision_.start_limit.count());
  }
  if (leader_folder_.silence() > kMostSilence) return fmt::format("rank 0 gave no sign of life for {} min", kMostSilence.count());
  return "";
}

// A batch does not end for want of a reason.
void Supervisor::tell_rank_0(const RankEnd& end) const {
  try {
    rank_ends_.append(end);
  } catch (const Error& error) {
    say(error.what());
  }
}

std::optional<SupervisionEnd> Supervisor::conclude(const LaunchEnd& end) {
  JournalState now = read_journal_state(journal_);
  const bool was_ours = std::exchange(ours_, now.session.id == session_);
  if (!ours_) now = {};
  const bool began = ours_ && (!was_ours || now.facts.size() > journal_state_.facts.size());
  const JournalState before = std::exchange(journal_state_, std::move(now));
  if (!began && end.mpirun.ranks.empty() && std::exchange(survives_, false)) say("mpirun started no rank; the next time without --with-ft ulfm");
  const Verdict verdict = verdict_of(end.mpirun, journal_state_.complete, began);
  const bool interrupted = end.signal != 0 && !journal_state_.complete;
  if (interrupted || verdict.outcome == Outcome::finished) {
    // The leader writes the results file, if it lives to do so and does not refuse a restart.
    if (!verdict.leader_ended || (!began && !journal_state_.complete)) write_results();
    return SupervisionEnd{interrupted ? 128 + end.signal : with_failures(verdict.exit_code), journal_state_.complete};
  }
  if (verdict.outcome == Outcome::hosts_wanted) return wait_for_hosts();
  hold_responsible(end, began);
  return go_on(before, verdict.exit_code, began);
}

void Supervisor::hold_responsible(const LaunchEnd& end, bool began) {
  const std::vector<HostSpec> hosts = hosts_;
  MpirunEnd mpirun = end.mpirun;
  mpirun.lost_hosts = ask_hosts();
  Finding finding = blame_.find(mpirun, journal_state_.session);
  if (!end.killed.empty()) finding.what = end.killed;
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
  if (!began) find_who_cannot_start(end);
  if (!ours_) return;
  for (results::Fact& fact : watch_.ledger().take_news()) facts.push_back(std::move(fact));
  append_facts(journal_, facts);
  journal_state_ = read_journal_state(journal_);
}

void Supervisor::note_crashes(const Finding& finding, const std::vector<HostSpec>& hosts) {
  for (const Finding::Culprit& crash : finding.survived) watch_.ledger().crashed(host_of_rank(hosts, crash.rank), crash.job);
  for (const Finding::Culprit& culprit : finding.culprits) {
    if (culprit.rank >= 0) watch_.ledger().crashed(host_of_rank(hosts, culprit.rank), culprit.job);
  }
  watch_.say_news();
  hosts_ = watch_.ledger().taking_part();
}

// Rank 0 never came to lead, so no job can be at fault, and the hosts all answer to the remote shell.
void Supervisor::find_who_cannot_start(const LaunchEnd& end) {
  if (hosts_.size() < 2 || supervision_.cluster.allocated) return;
  say("looking for the host that can't start, by a trial with each");
  ClusterSpec cluster = supervision_.cluster;
  cluster.hosts = hosts_;
  const std::map<std::string, std::string> failures = hosts_that_fail(program(), cluster, folder_.path());
  for (const auto& [host, why] : failures) watch_.ledger().cannot_start(host, why);
  watch_.say_news();
  hosts_ = watch_.ledger().taking_part();
  if (!failures.empty()) policy_ = {};  // without them it is another start
  if (!end.killed.empty()) propose_interfaces();
}

// What hangs mpirun most often is a network that some hosts have and others don't, such as docker's.
void Supervisor::propose_interfaces() const {
  const std::vector<std::string> proposed = interfaces_for(supervision_.cluster);
  if (proposed.empty() || proposed == supervision_.cluster.interfaces) return;
  say(fmt::format("Open MPI may have tried a network that not all hosts share: try interfaces: [{}] in the host file; edgelab doctor says more", fmt::join(proposed, ", ")));
}

// The leader has done what could be done without the hosts that are away.
std::optional<SupervisionEnd> Supervisor::wait_for_hosts() {
  const std::vector<HostSpec> before = hosts_;
  ask_hosts();
  if (!said_back_ && hosts_ == before && !away().empty()) {
    say(fmt::format("what is left needs hosts that can't be reached; they are asked for up to {} min", supervision_.host_patience.count()));
    while (hosts_ == before && !away().empty()) {
      if (!wait(std::chrono::seconds(1))) return SupervisionEnd{128 + SignalWatch::received(), false};
      watch_.look_for_the_lost();
      hosts_ = watch_.ledger().taking_part();
    }
  }
  append_facts(journal_, watch_.ledger().take_news());
  journal_state_ = read_journal_state(journal_);
  if (!keep_program()) return end_without_program();
  say("starting mpirun again");
  return std::nullopt;
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
  if (!keep_program()) return end_without_program();
  say(fmt::format("starting mpirun again{}", pause->count() == 0 ? "" : fmt::format(" in {} s", pause->count())));
  if (wait(*pause)) return std::nullopt;
  write_results();
  return SupervisionEnd{128 + SignalWatch::received(), false};
}

SupervisionEnd Supervisor::end_without_program() const {
  write_results();
  say(fmt::format("{} has been replaced since the batch began, and what is done would have to be done again. Everything finished is in {}; put the program back "
                  "and submit with --resume, or submit with --resume to run all jobs with the new one",
                  program_.path().string(), supervision_.results_file.string()));
  return {exit_code_of(ErrorKind::environment), false};
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
