#include "batch/doctor/visit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "batch/doctor/remote_shell.hpp"
#include "core/error.hpp"
#include "doctor_hosts.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::batch::doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(HostFacts, ComeBackFromTheirJsonUnchanged) {
  HostFacts facts = test::pi("pi1", "192.168.1.11/24");
  facts.interfaces.push_back(test::made_up("docker0", "172.17.0.1/16"));
  facts.interfaces.back().half_duplex = true;
  facts.thermal.throttle_count = 3;
  facts.mpi_include = "eth0";
  EXPECT_EQ(facts_from_json(facts_to_json(facts)), facts);
  facts.thermal = {};
  EXPECT_EQ(facts_from_json(facts_to_json(facts)), facts);
  EXPECT_TRUE(facts_to_json(facts).starts_with(kFactsStart));
  EXPECT_EQ(facts_to_json(facts).find('\n'), std::string::npos);
}

TEST(HostFacts, ThatAreCutShortOrOfAnotherKindAreRefusedWithoutMoreHarm) {
  const std::string line = facts_to_json(test::pi("pi1", "192.168.1.11/24"));
  for (std::size_t length = 0; length < line.size(); length += 5)
    EXPECT_THROW(facts_from_json(line.substr(0, length)), Error) << length;
  EXPECT_THROW(facts_from_json("[]"), Error);
  EXPECT_THROW(facts_from_json("{\"schema\":\"edgelab-facts/1\"}"), Error);
  EXPECT_THROW(facts_from_json("{\"schema\":\"edgelab-facts/2\"}"), Error);
  EXPECT_THROW(facts_from_json("{\"schema\":1}"), Error);
}

TEST(HostFacts, OfThisMachineAreGathered) {
  const edgelab::test::TemporaryDirectory root;
  std::filesystem::create_directories(root / "etc/openmpi");
  std::ofstream(root / "etc/openmpi/openmpi-mca-params.conf")
      << "# btl_tcp_if_include = no\n btl_tcp_if_exclude = lo,docker0 \n";
  const HostFacts facts = gather_facts({"/bin/sh", "hash", "build", {}}, root.path());
  EXPECT_FALSE(facts.host_name.empty());
  EXPECT_FALSE(facts.architecture.empty());
  EXPECT_GE(facts.cores, 1);
  EXPECT_GT(facts.disk_free_bytes, 0);
  EXPECT_TRUE(facts.interfaces.empty()) << "the root has none";
  if (!std::getenv("OMPI_MCA_btl_tcp_if_exclude")) {
    EXPECT_EQ(facts.mpi_exclude, "lo,docker0");
  }
}

TEST(ThisMachine, IsKnownByItsNamesAndAddresses) {
  const HostFacts own = test::pi("pi1.lab", "192.168.1.11/24");
  for (const char* name : {"localhost", "127.0.0.1", "::1", "pi1.lab", "pi1", "pi1.local", "192.168.1.11"})
    EXPECT_TRUE(is_this_machine(name, own)) << name;
  for (const char* name : {"pi2", "pi11", "192.168.1.12", "fe80::1", "pi"})
    EXPECT_FALSE(is_this_machine(name, own)) << name;
}

// Hosts are folders; the agent runs there what ssh would run on the host.
class Visits : public testing::Test {
 protected:
  Visits() {
    std::ofstream agent(directory_ / "agent");
    agent << "#!/bin/sh\nhost=${1#*@}; shift\ncd " << directory_.path().string()
          << "/$host 2>/dev/null || { echo \"ssh: Could not resolve hostname $host\" >&2; exit 255; }\nexec sh -c "
             "\"$*\"\n";
    agent.close();
    std::filesystem::permissions(directory_ / "agent", std::filesystem::perms::owner_all);
    setenv("EDGELAB_RSH", (directory_ / "agent").c_str(), 1);
  }
  ~Visits() override { unsetenv("EDGELAB_RSH"); }

  // A host whose edgelab is this script; none if it is empty.
  void add(const std::string& name, const std::string& script) {
    std::filesystem::create_directories(directory_ / (name + "/edgelab/bin"));
    const std::filesystem::path program = directory_ / (name + "/edgelab/bin/edgelab");
    if (!script.empty()) {
      std::ofstream(program) << "#!/bin/sh\n" << script;
      std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    }
    cluster_.hosts.push_back({name, 1, "pi"});
  }

  std::string answering(const std::string& name) {
    const std::string line = facts_to_json(test::pi(name, "192.168.1.11/24"));
    std::ofstream(directory_ / (name + ".json")) << line << "\n";
    return "cat " + (directory_ / (name + ".json")).string() + "\n";
  }

  std::vector<Visit> visit(std::int64_t limit_ns = 20'000'000'000) {
    return visit_hosts(cluster_, test::pi("leader", "192.168.1.1/24"), limit_ns);
  }

  edgelab::test::TemporaryDirectory directory_;
  ClusterSpec cluster_;
};

TEST_F(Visits, GiveFactsOfEveryHostInTheFilesOrder) {
  for (const char* name : {"pi2", "pi1", "pi3"}) add(name, answering(name));
  cluster_.hosts.push_back({"leader", 1, ""});
  const std::vector<Visit> visits = visit();
  ASSERT_EQ(visits.size(), 4u);
  for (const std::size_t i : {0u, 1u, 2u}) {
    EXPECT_EQ(visits[i].outcome, Visit::Outcome::answered) << visits[i].errors;
    ASSERT_TRUE(visits[i].facts);
    EXPECT_EQ(visits[i].facts->host_name, cluster_.hosts[i].name);
    EXPECT_FALSE(visits[i].architecture.empty());
  }
  EXPECT_TRUE(visits[3].this_machine);
}

TEST_F(Visits, MeasureTheClockAgainstThisOneWithinTheRoundTrip) {
  // Its clock is ten seconds ahead.
  add("pi1",
      answering("pi1") + "while read -r line; do echo edgelab-doctor:clock $(( $(date +%s%N) + 10000000000 )); done\n");
  const std::vector<Visit> visits = visit();
  ASSERT_TRUE(visits[0].clock);
  EXPECT_LE(std::abs(visits[0].clock->offset_ns - 10'000'000'000), visits[0].clock->uncertainty_ns);
  EXPECT_GT(visits[0].clock->uncertainty_ns, 0);
}

TEST_F(Visits, HearFactsBehindWhatALoginScriptPrints) {
  add("pi1", "echo Welcome to pi1; echo; " + answering("pi1"));
  EXPECT_EQ(visit()[0].outcome, Visit::Outcome::answered);
}

TEST_F(Visits, TellAMissingProgramFromABrokenOneAndFromAHostThatIsAway) {
  add("bare", "");
  add("broken", "echo 'error while loading shared libraries: libmpi.so.40' >&2; exit 127\n");
  add("garbage", "echo '{\"schema\":\"edgelab-facts/1\",\"x\":'\n");
  cluster_.hosts.push_back({"away", 1, ""});
  const std::vector<Visit> visits = visit();
  EXPECT_EQ(visits[0].outcome, Visit::Outcome::no_program);
  EXPECT_FALSE(visits[0].architecture.empty());
  EXPECT_EQ(visits[1].outcome, Visit::Outcome::broken_program);
  EXPECT_THAT(visits[1].errors, HasSubstr("libmpi.so.40"));
  EXPECT_EQ(visits[2].outcome, Visit::Outcome::broken_program);
  EXPECT_THAT(visits[2].errors, HasSubstr("the host's facts can't be read"));
  EXPECT_EQ(visits[3].outcome, Visit::Outcome::unreachable);
  EXPECT_THAT(visits[3].errors, HasSubstr("Could not resolve hostname away"));
}

TEST_F(Visits, DoNotWaitForAHostThatHangs) {
  add("hangs", "sleep 1000\n");
  add("pi1", answering("pi1"));
  const std::vector<Visit> visits = visit(2'000'000'000);
  EXPECT_EQ(visits[0].outcome, Visit::Outcome::out_of_time);
  EXPECT_EQ(visits[1].outcome, Visit::Outcome::answered);
}

TEST_F(Visits, ReachAHostByOneArgumentInWhichOnlyTheFoldersNameIsOurs) {
  std::ofstream(directory_ / "agent") << "#!/bin/sh\nprintf '%s\\n' \"$#\" \"$@\" >" << directory_.path().string()
                                      << "/words\n";
  add("pi1", "");
  cluster_.folder = "labs/e-1";
  visit();
  std::stringstream words;
  words << std::ifstream(directory_ / "words").rdbuf();
  EXPECT_EQ(words.str(),
            "2\npi@pi1\nsh -c 'echo edgelab-doctor:machine $(uname -m); for p in labs/e-1/bin/edgelab "
            "labs/e-1/build/edgelab; do if test -x $p; then echo "
            "edgelab-doctor:program $p; exec $p doctor --facts; fi; done; echo edgelab-doctor:none'\n");
}

TEST(Answer, IsTheFactsAndThenTheTimeForEachLine) {
  std::istringstream in("\n\n");
  std::ostringstream out;
  answer_visit(test::pi("pi1", "10.0.0.1/8"), in, out);
  EXPECT_THAT(out.str(), testing::MatchesRegex("\\{.*\\}\nedgelab-doctor:clock [0-9]+\nedgelab-doctor:clock [0-9]+\n"));
}

TEST(RemoteShell, IsTheAgentThatTheEnvironmentNamesElseSshThatAsksNothing) {
  for (const char* name : {"EDGELAB_RSH", "OMPI_MCA_plm_rsh_agent", "PRTE_MCA_plm_ssh_agent"}) unsetenv(name);
  EXPECT_THAT(remote_shell_words(), ElementsAre("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-T"));
  setenv("OMPI_MCA_plm_rsh_agent", "/usr/bin/ssh -F cfg : rsh", 1);
  EXPECT_THAT(remote_shell_words(),
              ElementsAre("/usr/bin/ssh", "-F", "cfg", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-T"));
  setenv("EDGELAB_RSH", "cluster/agent --fast", 1);
  EXPECT_THAT(remote_shell_words(), ElementsAre("cluster/agent", "--fast"));
  unsetenv("EDGELAB_RSH");
  unsetenv("OMPI_MCA_plm_rsh_agent");
}

TEST(RemoteShell, ThatIsMissingIsAnErrorOfTheEnvironment) {
  try {
    Conversation talk({"/no/such/ssh", "pi1", "true"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
  }
}

}  // namespace
}  // namespace edgelab::batch::doctor
