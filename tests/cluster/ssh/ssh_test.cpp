// doctor and provisioning through a real ssh and sshd.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "ssh_server.hpp"
#include "support/run_program.hpp"

namespace edgelab {
namespace {

using nlohmann::json;
using test::ProgramResult;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Ssh : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (test::SshServer::lacking().empty())
      server_ = std::make_unique<test::SshServer>(std::vector<std::string>{"pi1", "pi2"});
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    if (!server_) GTEST_SKIP() << test::SshServer::lacking();
    ASSERT_TRUE(server_->answers()) << server_->log();
    server_->introduce(server_->public_key());
    std::ofstream(hosts()) << "cluster:\n  hosts: [{name: pi1}, {name: pi2}]\n";
  }

  static std::string hosts() { return (server_->folder() / "hosts.yaml").string(); }

  static ProgramResult run(const std::string& command, const std::string& client = server_->client()) {
    return test::run_program("EDGELAB_RSH='" + client + "' " + command);
  }

  // Texts and fixes of one check, host by host.
  static std::vector<std::string> told(const std::string& check, const std::string& client = server_->client()) {
    const ProgramResult result = run(EDGELAB_BINARY " doctor --json --hosts " + hosts(), client);
    const json report = json::parse(result.output, nullptr, false);
    std::vector<std::string> texts;
    if (report.is_discarded()) return texts;
    for (const json& each : report["findings"]) {
      if (each["check"] == check)
        texts.push_back(each["level"].get<std::string>() + ": " + each["text"].get<std::string>() + " → " +
                        each["fix"].get<std::string>());
    }
    return texts;
  }

  static std::unique_ptr<test::SshServer> server_;
};

std::unique_ptr<test::SshServer> Ssh::server_;

TEST_F(Ssh, AHostThatItHasNeverMetIsExplained) {
  server_->introduce("");
  const auto explained = AllOf(StartsWith("bad: not reached: ssh has never met it"), HasSubstr("→ ssh pi"));
  EXPECT_THAT(told("ssh"), ElementsAre(explained, explained));
}

TEST_F(Ssh, AHostWhoseKeyHasChangedIsExplained) {
  server_->introduce(server_->other_public_key());
  const auto explained =
      AllOf(StartsWith("bad: not reached: ssh knows another key for it"), HasSubstr("ssh-keygen -R pi"));
  EXPECT_THAT(told("ssh"), ElementsAre(explained, explained));
}

TEST_F(Ssh, AMissingKeyOfTheUsersIsExplained) {
  const auto explained =
      AllOf(StartsWith("bad: not reached: it lets this user in by no key"), HasSubstr("ssh-copy-id pi"));
  EXPECT_THAT(told("ssh", server_->client() + " -o PubkeyAuthentication=no"), ElementsAre(explained, explained));
}

TEST_F(Ssh, AHostWithoutAServerIsExplained) {
  EXPECT_THAT(told("ssh", server_->client() + " -o Port=1"),
              ElementsAre(StartsWith("bad: not reached: nothing listens for ssh there"),
                          StartsWith("bad: not reached: nothing listens for ssh there")));
}

TEST_F(Ssh, HostsAreProvisionedAndThenAnswerWithTheSameProgram) {
  EXPECT_THAT(told("program"), ElementsAre(StartsWith("bad: there is no edgelab/bin/edgelab on this "),
                                           StartsWith("bad: there is no edgelab/bin/edgelab")));

  const ProgramResult provisioned =
      run(EDGELAB_SOURCE_DIR "/cluster/provision.sh " + hosts() + " --program " EDGELAB_BINARY);
  ASSERT_EQ(provisioned.exit_code, 0) << provisioned.output << provisioned.errors << server_->log();
  EXPECT_THAT(provisioned.output, HasSubstr("All 2 hosts are ready."));
  EXPECT_THAT(run(EDGELAB_SOURCE_DIR "/cluster/provision.sh " + hosts() + " --program " EDGELAB_BINARY).output,
              HasSubstr("files are in place"));

  const ProgramResult result = run(EDGELAB_BINARY " doctor --json --hosts " + hosts());
  const json report = json::parse(result.output, nullptr, false);
  ASSERT_FALSE(report.is_discarded()) << result.output << result.errors;
  ASSERT_EQ(report["hosts"].size(), 2u);
  for (const json& host : report["hosts"]) {
    ASSERT_EQ(host["outcome"], "answered") << host.dump(2);
    EXPECT_EQ(host["facts"]["program"]["sha256"], report["hosts"][0]["facts"]["program"]["sha256"]);
    EXPECT_LE(std::abs(host["clock"]["offset_ns"].get<std::int64_t>()),
              host["clock"]["uncertainty_ns"].get<std::int64_t>())
        << "one machine, one clock";
  }
  EXPECT_NE(report["hosts"][0]["facts"]["program"]["path"], report["hosts"][1]["facts"]["program"]["path"]);
}

TEST_F(Ssh, TheProvisionedProgramTakesTheLibrariesThatCameWithIt) {
  ASSERT_EQ(run(EDGELAB_SOURCE_DIR "/cluster/provision.sh " + hosts() + " --program " EDGELAB_BINARY).exit_code, 0);
  const std::string edgelab = (server_->folder() / "pi1/edgelab").string();
  std::error_code none;  // where all libraries are Debian's, none came
  for (const auto& library : std::filesystem::directory_iterator(edgelab + "/lib", none)) {
    EXPECT_EQ(test::run_program("ldd " + edgelab + "/bin/edgelab | grep -F " + edgelab + "/bin/../lib/" +
                                library.path().filename().string())
                  .exit_code,
              0)
        << library.path();
  }
  EXPECT_EQ(test::run_program("ldd " + edgelab + "/bin/edgelab | grep -F 'not found'").exit_code, 1);
}

}  // namespace
}  // namespace edgelab
