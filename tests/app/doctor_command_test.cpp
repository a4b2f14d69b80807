#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab {
namespace {

using nlohmann::json;
using test::ProgramResult;
using testing::HasSubstr;

ProgramResult doctor(const std::string& arguments) { return test::run_program(EDGELAB_BINARY " doctor " + arguments); }

TEST(DoctorCommand, LooksAtThisMachineAloneAndExitsWithThreeOnlyIfSomethingIsBad) {
  const ProgramResult result = doctor("--json");
  const json report = json::parse(result.output, nullptr, false);
  ASSERT_FALSE(report.is_discarded()) << result.output;
  EXPECT_EQ(report["schema"], "edgelab-doctor/1");
  ASSERT_EQ(report["hosts"].size(), 1u);
  EXPECT_EQ(report["hosts"][0]["this_machine"], true);
  EXPECT_EQ(report["hosts"][0]["facts"]["program"]["sha256"].get<std::string>().size(), 64u);
  for (const char* library : {"MPI", "HDF5", "oneDNN", "glibc"})
    EXPECT_TRUE(report["hosts"][0]["facts"]["program"]["libraries"].contains(library)) << library;
  bool bad = false;
  for (const json& finding : report["findings"]) bad = bad || finding["level"] == "bad";
  EXPECT_EQ(result.exit_code, bad ? 3 : 0);
}

TEST(DoctorCommand, TakesTheExampleHostFileOfTheCommandTable) {
  const ProgramResult result = doctor("--hosts " EDGELAB_SOURCE_DIR "/cluster/hosts.yaml");
  EXPECT_THAT(result.output, testing::StartsWith("localhost (this machine), "));
}

TEST(DoctorCommand, TellsWhatIsWrongWithAHostFileByLineAndColumn) {
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "h.yaml") << "cluster:\n  hosts: [{name: -oProxyCommand=reboot}]\n";
  const ProgramResult result = doctor("--hosts " + (folder / "h.yaml").string());
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(result.errors, HasSubstr("h.yaml:2:18: error: \"cluster.hosts.name\" has the wrong type"));
}

TEST(DoctorCommand, PrintsItsFactsOnOneLineForADoctorElsewhere) {
  const ProgramResult result = doctor("--facts");
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.output.find('\n'), result.output.size() - 1);
  EXPECT_EQ(json::parse(result.output)["schema"], "edgelab-facts/1");
}

TEST(DoctorCommand, ListsHostsForTheScriptThatProvisionsThem) {
  EXPECT_EQ(doctor("--list --hosts " EDGELAB_SOURCE_DIR "/configs/cluster/pi4.yaml").output,
            "pi@pi1 edgelab there\npi@pi2 edgelab there\npi@pi3 edgelab there\npi@pi4 edgelab there\n");
  EXPECT_EQ(doctor("--list --hosts " EDGELAB_SOURCE_DIR "/configs/cluster/this_machine.yaml").output,
            "localhost edgelab here\n");
}

TEST(DoctorCommand, KeepsWhatIsBetweenProgramsOutOfItsHelp) {
  const std::string help = doctor("--help").output;
  EXPECT_THAT(help, HasSubstr("--hosts"));
  EXPECT_THAT(help, Not(testing::AnyOf(HasSubstr("--facts"), HasSubstr("--list"))));
}

}  // namespace
}  // namespace edgelab
