// Which hosts take part, when mpirun is started again, and how.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "batch/supervisor/host_ledger.hpp"
#include "batch/supervisor/hosts.hpp"
#include "batch/supervisor/mpirun_command.hpp"
#include "batch/supervisor/oom_watch.hpp"
#include "batch/supervisor/private_folder.hpp"
#include "batch/supervisor/restart_policy.hpp"
#include "batch/supervisor/supervisor_lock.hpp"
#include "core/error.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::batch {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::SizeIs;

constexpr std::int64_t kSecond = 1'000'000'000;

std::vector<HostSpec> pis() { return {{"pi1", 4, ""}, {"pi2", 4, "lab"}, {"pi3", 2, ""}}; }

std::vector<std::string> names(const std::vector<HostSpec>& hosts) {
  std::vector<std::string> result;
  for (const HostSpec& host : hosts) result.push_back(host.name);
  return result;
}

TEST(HostLedger, AHostThatDoesNotAnswerIsLeftOutOnceAndOneThatAnswersAgainIsBack) {
  HostLedger ledger(pis());
  ledger.answered("pi2", false, 0);
  EXPECT_THAT(names(ledger.taking_part()), ElementsAre("pi1", "pi3"));
  EXPECT_THAT(names(ledger.away()), ElementsAre("pi2"));
  EXPECT_THAT(ledger.left_out().at("pi2"), HasSubstr("for now"));
  EXPECT_THAT(names(ledger.to_ask()), ElementsAre("pi2", "pi3"));
  ledger.answered("pi2", true, 1);
  EXPECT_THAT(names(ledger.taking_part()), ElementsAre("pi1", "pi2", "pi3"));
  EXPECT_THAT(ledger.away(), IsEmpty());
  EXPECT_THAT(ledger.take_news(), IsEmpty());
}

TEST(HostLedger, OneThatIsAwayIsAskedLessAndLessOftenAndAfterAnHourNoMore) {
  HostLedger ledger(pis());
  std::vector<double> pauses;
  std::int64_t now = 7 * kSecond;
  ledger.answered("pi2", false, now);
  while (const std::optional<std::int64_t> next = ledger.next_ask()) {
    EXPECT_THAT(ledger.to_ask_again(*next - 1), IsEmpty());
    EXPECT_THAT(names(ledger.to_ask_again(*next)), ElementsAre("pi2"));
    pauses.push_back(static_cast<double>(*next - now) / kSecond);
    now = *next;
    ledger.answered("pi2", false, now);
  }
  ASSERT_GE(pauses.size(), 9u);
  pauses.resize(9);
  EXPECT_THAT(pauses, ElementsAre(5, 10, 20, 40, 80, 160, 300, 300, 300));
  EXPECT_GE(now, (7 + 3600) * kSecond);
  EXPECT_LE(now, (7 + 3600 + 300) * kSecond);
  EXPECT_THAT(ledger.left_out().at("pi2"), HasSubstr("for good"));
  EXPECT_THAT(names(ledger.to_ask()), ElementsAre("pi3"));
}

TEST(HostLedger, NoHostIsOutForGoodBeforeItWasAskedThreeTimes) {
  HostLedger ledger(pis());
  ledger.answered("pi2", false, 0);
  ledger.answered("pi2", false, 10 * 3600 * kSecond);
  EXPECT_THAT(names(ledger.away()), ElementsAre("pi2"));
  ledger.answered("pi2", false, 11 * 3600 * kSecond);
  EXPECT_THAT(ledger.away(), IsEmpty());
}

TEST(HostLedger, AHostThatComesAndGoesIsOutForGoodTheTenthTime) {
  HostLedger ledger(pis());
  for (int i = 1; i <= HostLedger::kMostLosses; ++i) {
    EXPECT_THAT(names(ledger.taking_part()), ElementsAre("pi1", "pi2", "pi3")) << i;
    ledger.answered("pi3", false, 2 * i * kSecond);
    ledger.answered("pi3", true, (2 * i + 1) * kSecond);
  }
  EXPECT_THAT(names(ledger.taking_part()), ElementsAre("pi1", "pi2"));
  EXPECT_THAT(ledger.left_out().at("pi3"), HasSubstr("lost 10 times; for good"));
}

TEST(HostLedger, AHostWhereTheProgramCannotBeStartedIsOutForGoodAndSaysWhy) {
  HostLedger ledger(pis());
  ledger.cannot_start("pi2", "no such file");
  ledger.cannot_start("pi1", "this machine");
  EXPECT_THAT(names(ledger.taking_part()), ElementsAre("pi1", "pi3"));
  EXPECT_THAT(ledger.left_out().at("pi2"), HasSubstr("no such file; for good"));
  EXPECT_THAT(ledger.take_news(), SizeIs(1));
}

TEST(HostLedger, ThreeDifferentJobsThatCrashOnAHostPutItOutAndOneJobThatCrashesOftenDoesNot) {
  HostLedger ledger(pis());
  for (int i = 0; i < 5; ++i) ledger.crashed("pi2", "same");
  for (const char* job : {"a", "b", "c"}) ledger.crashed("pi3", job);
  EXPECT_THAT(names(ledger.taking_part()), ElementsAre("pi1", "pi2"));
}

TEST(HostLedger, ThisMachineAlwaysTakesPart) {
  HostLedger ledger(pis());
  for (const char* job : {"a", "b", "c", "d"}) ledger.crashed("pi1", job);
  EXPECT_THAT(names(ledger.taking_part()), ElementsAre("pi1", "pi2", "pi3"));
  EXPECT_THAT(ledger.take_news(), IsEmpty());
}

TEST(HostLedger, ALaterSessionRemembersWhoIsOutForGood) {
  HostLedger ledger(pis());
  ledger.cannot_start("pi2", "no such file");
  const std::vector<results::Fact> facts = ledger.take_news();
  ASSERT_THAT(facts, SizeIs(1));
  HostLedger later(pis());
  later.recall(facts);
  EXPECT_THAT(names(later.taking_part()), ElementsAre("pi1", "pi3"));
  EXPECT_THROW(later.recall({{"left_out", "[]"}}), Error);
}

TEST(RestartPolicy, ProgressRestartsAtOnceAndFruitlessRestartsWaitLongerEachTimeUntilTheBatchIsGivenUp) {
  RestartPolicy policy;
  EXPECT_EQ(policy.after_end(true, true)->count(), 0);
  for (const int seconds : {1, 2, 4, 8, 16}) EXPECT_EQ(policy.after_end(true, false)->count(), seconds);
  EXPECT_FALSE(policy.after_end(true, false));
}

TEST(RestartPolicy, ProgressForgivesEarlierFruitlessRestarts) {
  RestartPolicy policy;
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(policy.after_end(true, false));
    EXPECT_TRUE(policy.after_end(true, true));
  }
}

TEST(RestartPolicy, ALeaderThatNeverComesUpIsGivenUpSooner) {
  RestartPolicy policy;
  EXPECT_TRUE(policy.after_end(false, false));
  EXPECT_TRUE(policy.after_end(false, false));
  EXPECT_FALSE(policy.after_end(false, false));
}

TEST(MpirunCommand, RanksAreNumberedHostByHost) {
  EXPECT_EQ(host_of_rank(pis(), 3), "pi1");
  EXPECT_EQ(host_of_rank(pis(), 4), "pi2");
  EXPECT_EQ(host_of_rank(pis(), 9), "pi3");
  EXPECT_EQ(host_of_rank(pis(), 10), "");
}

TEST(MpirunCommand, AJobFilesTextStaysOneArgument) {
  const std::string nasty = "--set=name=$(reboot); x";
  const std::vector<std::string> arguments = mpirun_arguments(2, "/tmp/hosts", {"EDGELAB_DATA"}, {"/bin/edgelab", nasty});
  EXPECT_EQ(arguments.back(), nasty);
  EXPECT_THAT(arguments, Contains("/tmp/hosts"));
}

TEST(MpirunCommand, OnlyAnOpenMpiFromFiveOnIsToldToLetRanksOutliveEachOther) {
  EXPECT_TRUE(is_open_mpi_with_ulfm("mpirun (Open MPI) 5.0.11\n\nReport bugs to https://www.open-mpi.org/community/help/\n"));
  EXPECT_TRUE(is_open_mpi_with_ulfm("mpirun (Open MPI) 10.0.0a1\n"));
  EXPECT_FALSE(is_open_mpi_with_ulfm("mpirun (Open MPI) 4.1.4\n"));
  EXPECT_FALSE(is_open_mpi_with_ulfm("HYDRA build details:\n    Version: 4.0.2\n"));
  EXPECT_FALSE(is_open_mpi_with_ulfm(""));
  EXPECT_THAT(mpirun_arguments(2, "/tmp/hosts", {}, {"/bin/edgelab"}, true), IsSupersetOf({"--with-ft", "ulfm"}));
  EXPECT_THAT(mpirun_arguments(2, "/tmp/hosts", {}, {"/bin/edgelab"}), Not(Contains("--with-ft")));
}

TEST(MpirunCommand, TheInterfacesGoToBothLaunchersAndToMpi) {
  ClusterSpec cluster;
  cluster.interfaces = {"eth0", "10.0.0.0/24"};
  const auto variables = mpirun_variables(cluster, false);
  for (const char* name : {"OMPI_MCA_oob_tcp_if_include", "PRTE_MCA_oob_tcp_if_include", "OMPI_MCA_btl_tcp_if_include"}) {
    EXPECT_EQ(variables.at(name), "eth0,10.0.0.0/24") << name;
  }
  EXPECT_FALSE(variables.contains("OMPI_ALLOW_RUN_AS_ROOT"));
  EXPECT_TRUE(mpirun_variables({}, true).contains("OMPI_ALLOW_RUN_AS_ROOT"));
  EXPECT_FALSE(mpirun_variables({}, true).contains("OMPI_MCA_btl_tcp_if_include"));
}

TEST(MpirunCommand, OnlyOurVariablesAreSentToOtherHosts) {
  EXPECT_THAT(variables_to_export({"EDGELAB_DATA=/d", "HOME=/root", "SECRET=x", "OMP_NUM_THREADS=2", "NO_COLOR=", "NO_COLORS=1"}),
              ElementsAre("EDGELAB_DATA", "NO_COLOR", "OMP_NUM_THREADS"));
}

TEST(Hosts, ThisMachineComesFirstAndMustBeThere) {
  ClusterSpec cluster;
  cluster.hosts = {{"198.51.100.1", 1, ""}, {"198.51.100.2", 1, ""}};
  EXPECT_THROW(with_this_machine_first(cluster), Error);
  cluster.hosts.push_back({"localhost", 2, ""});
  EXPECT_THAT(names(with_this_machine_first(cluster).hosts), ElementsAre("localhost", "198.51.100.1", "198.51.100.2"));
}

TEST(Hosts, AreAskedThroughTheRemoteShellThatMpirunUses) {
  const test::TemporaryDirectory folder;
  const std::string agent = folder / "agent";
  std::ofstream(agent) << "#!/bin/sh\n[ \"$1\" = -q ] && [ \"$2\" = lab@pi2 ] && [ \"$3\" = true ]\n";
  std::filesystem::permissions(agent, std::filesystem::perms::owner_all);
  setenv("OMPI_MCA_plm_rsh_agent", (agent + " -q : rsh").c_str(), 1);
  const std::map<std::string, bool> answers = reachable(pis());
  unsetenv("OMPI_MCA_plm_rsh_agent");
  EXPECT_THAT(answers, ElementsAre(std::pair("pi1", false), std::pair("pi2", true), std::pair("pi3", false)));
}

TEST(SupervisorLock, KeepsASecondSupervisorOutAndGoesWithTheFirst) {
  const test::TemporaryDirectory folder;
  {
    const SupervisorLock lock(folder / "r.h5");
    EXPECT_THROW(SupervisorLock(folder / "r.h5"), Error);
    EXPECT_NO_THROW(SupervisorLock(folder / "other.h5"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "r.lock"));
  EXPECT_NO_THROW(SupervisorLock(folder / "r.h5"));
}

TEST(PrivateFolder, TheNextOneRemovesWhatAKilledOwnerLeftAndNothingElse) {
  const test::TemporaryDirectory parent;
  const char* before = std::getenv("TMPDIR");
  const std::optional<std::string> kept = before == nullptr ? std::nullopt : std::optional<std::string>(before);
  setenv("TMPDIR", parent.path().c_str(), 1);
  const auto make = [&](const char* name, bool lock) {
    std::filesystem::create_directory(parent / name);
    std::filesystem::permissions(parent / name, std::filesystem::perms::owner_all);
    std::ofstream(parent / name / "hosts") << "pi1";
    if (lock) std::ofstream(parent / name / "lock");
    return parent / name;
  };
  const auto dead = make("edgelab-dead00", true), unlocked = make("edgelab-report", false), open = make("edgelab-shared", true);
  std::filesystem::permissions(open, std::filesystem::perms::all);
  std::filesystem::create_directory_symlink(make("elsewhere", true), parent / "edgelab-link00");
  {
    const PrivateFolder alive, next;
    EXPECT_FALSE(std::filesystem::exists(dead));
    for (const auto& path : {alive.path(), next.path(), unlocked, open, parent / "elsewhere" / "hosts"}) EXPECT_TRUE(std::filesystem::exists(path)) << path;
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(parent.path()), {}), 4);
  kept ? setenv("TMPDIR", kept->c_str(), 1) : unsetenv("TMPDIR");
}

class Memory : public testing::Test {
 protected:
  void write(const std::filesystem::path& name, const std::string& text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  OomWatch watch() const { return OomWatch(folder_ / "cgroup", folder_ / "own"); }
  test::TemporaryDirectory folder_;
};

TEST_F(Memory, AKillIsSeenInTheCountOfOurCgroup) {
  for (const auto& [own, counts] : {std::pair{"0::/user/lab\n", "cgroup/user/lab/memory.events"}, std::pair{"4:memory:/user\n0::/\n", "cgroup/memory/user/memory.oom_control"}}) {
    write("own", own);
    write(counts, "low 0\noom 1\noom_kill 1\n");
    const OomWatch oom = watch();
    EXPECT_EQ(oom.killed(), OutOfMemory::no) << counts;
    write(counts, "low 0\noom 2\noom_kill 2\n");
    EXPECT_EQ(oom.killed(), OutOfMemory::yes) << counts;
  }
}

TEST_F(Memory, InAContainerTheMountedPartOfThePathCounts) {
  write("own", "0::/docker/abc/lab\n");
  write("cgroup/memory.events", "oom_kill 0\n");
  EXPECT_EQ(watch().killed(), OutOfMemory::no);
}

TEST_F(Memory, WithoutACountNobodyKnows) {
  write("own", "0::/\n");
  EXPECT_EQ(watch().killed(), OutOfMemory::unknown);
}

}  // namespace
}  // namespace edgelab::batch
