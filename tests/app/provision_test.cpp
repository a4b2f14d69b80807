// cluster/provision.sh on hosts that are folders: an agent runs there what ssh would run on a host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab {
namespace {

namespace fs = std::filesystem;
using test::ProgramResult;
using testing::HasSubstr;

std::string content_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::size_t files_below(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) count += entry.is_regular_file() ? 1 : 0;
  return count;
}

class Provision : public testing::Test {
 protected:
  Provision() {
    write("hosts.yaml", "cluster:\n  folder: labs/edgelab\n  hosts: [{name: pi1, user: pi}, {name: pi2}]\n");
    // As small as a program can be, so that the tests are about the files and not about copying one large one.
    write_program("edgelab", std::string("exec ") + EDGELAB_BINARY + " \"$@\"\n");
    set_agent("exec sh -c \"$*\"");
    for (const char* host : {"pi1", "pi2"}) fs::create_directory(directory_ / host);
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name, std::ios::trunc) << text;
  }
  void write_program(const std::string& name, const std::string& script) const {
    write(name, "#!/bin/sh\n" + script);
    fs::permissions(directory_ / name, fs::perms::owner_all);
  }
  // `how` runs the words "$*" on $host.
  void set_agent(const std::string& how) const {
    write_program(
        "agent", "host=${1#*@}; shift\ncd " + directory_.path().string() +
                     "/$host 2>/dev/null || { echo \"ssh: Could not resolve hostname $host\" >&2; exit 255; }\n" + how +
                     "\n");
  }

  ProgramResult provision(const std::string& arguments = {}) const {
    const std::string folder = directory_.path().string();
    return test::run_program("EDGELAB_RSH=" + folder + "/agent " + EDGELAB_SOURCE_DIR + "/cluster/provision.sh " +
                             folder + "/hosts.yaml --program " + folder + "/edgelab " + arguments);
  }
  fs::path on(const std::string& host, const std::string& file = {}) const {
    return directory_ / (host + "/labs/edgelab/" + file);
  }

  test::TemporaryDirectory directory_;
};

TEST_F(Provision, PutsProgramConfigsAndJobsOnEveryHost) {
  const ProgramResult result = provision();
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("All 2 hosts are ready."));
  const fs::path source = EDGELAB_SOURCE_DIR;
  for (const char* host : {"pi1", "pi2"}) {
    EXPECT_EQ(content_of(on(host, "bin/edgelab")), content_of(directory_ / "edgelab"));
    EXPECT_EQ(fs::status(on(host, "bin/edgelab")).permissions() & fs::perms::owner_exec, fs::perms::owner_exec);
    EXPECT_EQ(content_of(on(host, "jobs/demo.yaml")), content_of(source / "jobs/demo.yaml"));
    EXPECT_EQ(content_of(on(host, "configs/cluster/pi4.yaml")), content_of(source / "configs/cluster/pi4.yaml"));
    EXPECT_EQ(content_of(on(host, "cluster/hosts.yaml")), content_of(source / "cluster/hosts.yaml"));
    EXPECT_FALSE(fs::exists(on(host, ".incoming")));
  }
}

TEST_F(Provision, SendsOnlyWhatDiffers) {
  ASSERT_EQ(provision().exit_code, 0);
  const std::string files = std::to_string(files_below(on("pi1")));
  EXPECT_THAT(provision().output, HasSubstr("pi1: all " + files + " files are in place\n"));
  std::ofstream(on("pi1", "jobs/demo.yaml"), std::ios::app) << "# changed there\n";
  const ProgramResult result = provision();
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("pi1: sending 1 of " + files + " files"),
                                   HasSubstr("pi2: all " + files + " files are in place\n")));
  EXPECT_EQ(content_of(on("pi1", "jobs/demo.yaml")), content_of(fs::path(EDGELAB_SOURCE_DIR) / "jobs/demo.yaml"));
}

TEST_F(Provision, KeepsFilesOfTheHostsOwn) {
  fs::create_directories(on("pi1", "jobs"));
  std::ofstream(on("pi1", "jobs/mine.yaml")) << "name: mine\n";
  ASSERT_EQ(provision().exit_code, 0);
  EXPECT_EQ(content_of(on("pi1", "jobs/mine.yaml")), "name: mine\n");
}

TEST_F(Provision, GoesOnFromWhereATransferWasCutOffHavingChangedNothingUntilAllIsThere) {
  set_agent("case \"$host$*\" in pi1*tar*) head -c 6000 | sh -c \"$*\"; exit 255 ;; *) exec sh -c \"$*\" ;; esac");
  const ProgramResult cut = provision();
  EXPECT_EQ(cut.exit_code, 1);
  EXPECT_THAT(cut.errors,
              AllOf(HasSubstr("pi1: failed: the transfer was cut off."), HasSubstr("failed on 1 of 2 hosts: pi1")));
  EXPECT_FALSE(fs::exists(on("pi1", "bin/edgelab")));
  EXPECT_TRUE(fs::exists(on("pi2", "bin/edgelab"))) << "the other host is done all the same";
  EXPECT_GE(files_below(on("pi1", ".incoming")), 1u);

  set_agent("exec sh -c \"$*\"");
  const ProgramResult again = provision();
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  const std::size_t all = files_below(on("pi2"));
  std::size_t sent = 0, of = 0;
  ASSERT_EQ(std::sscanf(again.output.c_str(), "pi1: sending %zu of %zu files", &sent, &of), 2) << again.output;
  EXPECT_EQ(of, all);
  EXPECT_LT(sent, all) << "what had arrived whole is not sent again";
  EXPECT_EQ(files_below(on("pi1")), all);
  EXPECT_EQ(content_of(on("pi1", "bin/edgelab")), content_of(directory_ / "edgelab"));
}

TEST_F(Provision, PutsNothingInPlaceThatWasDamagedOnTheWay) {
  ASSERT_EQ(provision().exit_code, 0);
  std::ofstream(on("pi1", "jobs/demo.yaml")) << "name: old\n";
  // As long as it was, so that only the hash tells.
  set_agent("case \"$host$*\" in pi1*tar*) sed s/name/nome/ | sh -c \"$*\" ;; *) exec sh -c \"$*\" ;; esac");
  const ProgramResult result = provision();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("pi1: failed: arrived damaged: jobs/demo.yaml"));
  EXPECT_EQ(content_of(on("pi1", "jobs/demo.yaml")), "name: old\n");
  set_agent("exec sh -c \"$*\"");
  EXPECT_EQ(provision().exit_code, 0) << "what arrived damaged is sent again";
}

TEST_F(Provision, RefusesAHostOfAnotherKindAndSaysWhatToDo) {
  write_program("uname", "echo riscv64\n");
  set_agent("[ $host = pi1 ] || exec sh -c \"$*\"\nPATH=" + directory_.path().string() + ":$PATH exec sh -c \"$*\"");
  const ProgramResult result = provision();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors,
              AllOf(HasSubstr("pi1: failed: it is an riscv64 machine, and this program is for "),
                    HasSubstr("Build edgelab on a host of that kind"), HasSubstr("failed on 1 of 2 hosts: pi1")));
  EXPECT_FALSE(fs::exists(on("pi1")));
  EXPECT_TRUE(fs::exists(on("pi2", "bin/edgelab")));
}

TEST_F(Provision, GoesOnPastHostsThatAreAwayAndNamesThem) {
  fs::remove_all(directory_ / "pi1");
  const ProgramResult result = provision();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("Could not resolve hostname pi1"), HasSubstr("pi1: failed: not reached."),
                                   HasSubstr("failed on 1 of 2 hosts: pi1")));
  EXPECT_THAT(result.output, HasSubstr("pi2: edgelab "));
}

TEST_F(Provision, TellsWhereTheProgramDoesNotStart) {
  write_program("edgelab", std::string("[ \"$1\" != --version ] || { echo no libmpi.so.40 >&2; exit 127; }\nexec ") +
                               EDGELAB_BINARY + " \"$@\"\n");
  const ProgramResult result = provision();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("pi1: failed: the program does not start there: no libmpi.so.40"),
                                   HasSubstr("--packages"), HasSubstr("failed on 2 of 2 hosts: pi1 pi2")));
}

TEST_F(Provision, InstallsPackagesOnlyWhenAskedAndOnlyOnTheSameSystem) {
  write_program("apt-get", "echo apt-get \"$@\" >>" + directory_.path().string() + "/apt.log\n");
  write_program("sudo", "shift; exec \"$@\"\n");
  set_agent("PATH=" + directory_.path().string() + ":$PATH exec sh -c \"$*\"");
  ASSERT_EQ(provision().exit_code, 0);
  EXPECT_FALSE(fs::exists(directory_ / "apt.log"));
  const ProgramResult result = provision("--packages");
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(content_of(directory_ / "apt.log"),
              AllOf(HasSubstr("install --no-install-recommends"), HasSubstr("openmpi-bin")));
}

TEST_F(Provision, TellsWhatIsWrongWithTheHostFileAndTouchesNoHost) {
  write("hosts.yaml", "cluster:\n  hosts: [{name: pi1, slots: 4}]\n");
  const ProgramResult result = provision();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("hosts.yaml:2:23: error: unknown key \"cluster.hosts.slots\""));
  EXPECT_TRUE(fs::is_empty(directory_ / "pi1"));
}

}  // namespace
}  // namespace edgelab
