#include "batch/cluster_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "job_file_support.hpp"

namespace edgelab::batch {
namespace {

using test::Folder;
using test::kDefaults;

const std::string kFour =
    "cluster:\n"
    "  hosts:\n"
    "    - {name: pi1, ranks: 4, user: pi}\n"
    "    - {name: pi2, ranks: 4, user: pi}\n"
    "    - {name: 192.168.1.13, ranks: 2}\n"
    "    - name: fe80::1\n"
    "  interfaces: [eth0, 192.168.1.0/24]\n"
    "  folder: labs/edgelab\n";

std::string cluster_errors(const Folder& folder, const std::string& text) {
  try {
    load_cluster(folder.write("h.yaml", text));
    return {};
  } catch (const JobFileErrors& errors) {
    std::string message = errors.what();
    for (std::size_t at; (at = message.find(folder.path() + "/")) != std::string::npos;)
      message.erase(at, folder.path().size() + 1);
    return message;
  }
}

LoadOptions with_set(const std::string& set) {
  LoadOptions options;
  options.set = {set};
  return options;
}

LoadOptions cluster_alone() {
  LoadOptions options;
  options.cluster_suffices = true;
  return options;
}

TEST(ClusterSpec, IsWhatTheHostFileSays) {
  const Folder folder;
  const ClusterSpec cluster = load_cluster(folder.write("h.yaml", kFour));
  EXPECT_THAT(cluster.hosts, testing::ElementsAre(HostSpec{"pi1", 4, "pi"}, HostSpec{"pi2", 4, "pi"},
                                                  HostSpec{"192.168.1.13", 2, ""}, HostSpec{"fe80::1", 1, ""}));
  EXPECT_THAT(cluster.interfaces, testing::ElementsAre("eth0", "192.168.1.0/24"));
  EXPECT_EQ(cluster.folder, "labs/edgelab");
  EXPECT_EQ(cluster.ranks(), 11);
}

TEST(ClusterSpec, MakesTheHostFileOfMpirun) {
  const Folder folder;
  EXPECT_EQ(mpi_host_file(load_cluster(folder.write("h.yaml", kFour))),
            "pi@pi1 slots=4\npi@pi2 slots=4\n192.168.1.13 slots=2\nfe80::1 slots=1\n");
}

TEST(ClusterSpec, JobFilesTakeItFromAnIncludedFileAndChangeWhatTheySayLater) {
  const Folder folder;
  folder.write("four.yaml", kFour);
  const Batch batch =
      folder.load("include: four.yaml\ncluster: {interfaces: [wlan0]}\n" + kDefaults + "jobs: [{id: a}]\n");
  ASSERT_TRUE(batch.cluster);
  EXPECT_EQ(batch.cluster->hosts.size(), 4u);
  EXPECT_THAT(batch.cluster->interfaces, testing::ElementsAre("wlan0"));
  EXPECT_EQ(batch.cluster->folder, "labs/edgelab");
}

TEST(ClusterSpec, IsAbsentWhereNoFileDescribesOne) {
  EXPECT_FALSE(Folder().load(kDefaults + "jobs: [{id: a}]\n").cluster);
}

TEST(ClusterSpec, StandsInTheResolvedFileWhichGivesItBack) {
  const Folder folder;
  const Batch batch = folder.load(kFour + kDefaults + "jobs: [{id: a}]\n");
  const Batch again = folder.load(batch.resolved);
  ASSERT_TRUE(again.cluster);
  EXPECT_EQ(*again.cluster, *batch.cluster);
  EXPECT_EQ(again.resolved, batch.resolved);
}

TEST(ClusterSpec, CanBeOverriddenKeyByKey) {
  const Folder folder;
  const std::string text = kDefaults + "jobs: [{id: a}]\n";
  const Batch batch = folder.load(kFour + text, with_set("cluster.folder=/srv/edgelab"));
  EXPECT_EQ(batch.cluster->folder, "/srv/edgelab");
  EXPECT_EQ(batch.cluster->hosts.size(), 4u);
  EXPECT_EQ(folder.load(text, with_set("cluster.hosts=[{name: a}]")).cluster->hosts.size(), 1u);
  EXPECT_EQ(folder.errors(text, with_set("cluster.hosts=[{name: -a}]")),
            "--set cluster.hosts=[{name: -a}]: error: \"cluster.hosts.name\" has the wrong type (got -a, expected a "
            "host name "
            "or address)");
}

TEST(ClusterSpec, OfSeveralFilesMustBeOneAndTheSame) {
  const Folder folder;
  const auto one = folder.write("one.yaml", kFour + kDefaults + "jobs: [{id: a}]\n");
  const auto same = folder.write("same.yaml", kFour + kDefaults + "jobs: [{id: b}]\n");
  const auto none = folder.write("none.yaml", kDefaults + "jobs: [{id: c}]\n");
  const auto other = folder.write("other.yaml", "cluster: {hosts: [{name: pi1}]}\n" + kDefaults + "jobs: [{id: d}]\n");
  EXPECT_EQ(load_batch({none, one, same}).cluster->hosts.size(), 4u);
  EXPECT_EQ(folder.errors_of({one, other}),
            "other.yaml:1:10: error: the files describe different clusters; a batch runs on one: describe it in one "
            "file that "
            "the others include");
}

TEST(ClusterSpec, AloneInAFileIsNoBatchToRunButRightToValidate) {
  const Folder folder;
  EXPECT_EQ(
      folder.errors(kFour),
      "j.yaml:1:1: error: the file has no jobs; a file that only describes a cluster is for --hosts and include:");
  const Batch batch = folder.load(kFour, cluster_alone());
  EXPECT_TRUE(batch.jobs.empty());
  EXPECT_EQ(batch.cluster->hosts.size(), 4u);
  EXPECT_EQ(folder.errors("name: x\n", cluster_alone()),
            "j.yaml:1:1: error: the file has no jobs; list them under jobs:");
}

TEST(ClusterSpec, AFileWithoutAClusterIsNoHostFile) {
  EXPECT_EQ(cluster_errors(Folder(), kDefaults + "jobs: [{id: a}]\n"),
            "h.yaml:1:1: error: the file describes no cluster; add cluster: {hosts: [{name: pi1, ranks: 4}]}");
  EXPECT_EQ(cluster_errors(Folder(), "cluster: {folder: x}\n"),
            "h.yaml:1:10: error: the cluster has no hosts; add hosts: [{name: pi1, ranks: 4}]");
}

struct BadCluster {
  const char* inside;  // of `cluster:`, at line 2, column 3 on
  const char* message;
};

class BadClusters : public ::testing::TestWithParam<BadCluster> {};

TEST_P(BadClusters, AreToldWithLineAndColumn) {
  EXPECT_EQ(cluster_errors(Folder(), std::string("cluster:\n  ") + GetParam().inside + "\n"),
            std::string("h.yaml:") + GetParam().message);
}

std::vector<std::string> bad_names() {
  return {"-oProxyCommand=x",
          "--hostfile",
          "pi 1",
          "pi;reboot",
          "$(reboot)",
          "pi1,pi2",
          "a/b",
          "..",
          "pi@pi1",
          "\"\"",
          "[::1]",
          "ü",
          "`x`",
          "'a\"b'",
          std::string(256, 'a')};
}

TEST(ClusterSpec, RefusesEveryNameThatAnotherProgramCouldTakeForSomethingElse) {
  for (const std::string& name : bad_names()) {
    const std::string message = cluster_errors(Folder(), "cluster:\n  hosts: [{name: " + name + "}]\n");
    EXPECT_THAT(message, testing::StartsWith("h.yaml:2:")) << name;
    EXPECT_THAT(message, testing::HasSubstr("error: ")) << name;
  }
  EXPECT_THAT(cluster_errors(Folder(), "cluster:\n  hosts: [{name: pi;reboot}]\n"),
              testing::StartsWith(std::string("h.yaml:") +
                                  "2:18: error: \"cluster.hosts.name\" has the wrong type (got pi;reboot"));
}

INSTANTIATE_TEST_SUITE_P(
    ClusterSpec, BadClusters,
    ::testing::Values(
        BadCluster{
            "hosts: []",
            "2:10: error: \"cluster.hosts\" has the wrong type (got a list, expected a list, not empty, of a map with "
            "the keys name, ranks, user)"},
        BadCluster{
            "hosts: [pi1, pi2]",
            "2:11: error: \"cluster.hosts\" has the wrong type (got pi1, expected a map with the keys name, ranks, "
            "user)\nh.yaml:2:16: error: \"cluster.hosts\" has the wrong type (got pi2, expected a map with the keys "
            "name, ranks, user)"},
        BadCluster{"hosts: [{ranks: 4}]",
                   "2:11: error: an item of \"cluster.hosts\" has no \"name\"; add name: a host name or address"},
        BadCluster{"hosts: [{name: pi1, slots: 4}]",
                   "2:23: error: unknown key \"cluster.hosts.slots\"; known here: name, ranks, user"},
        BadCluster{
            "hosts: [{name: pi1, ranks: 0}]",
            "2:30: error: \"cluster.hosts.ranks\" is out of range (got 0, expected a whole number from 1 to 4,096)"},
        BadCluster{"hosts: [{name: pi1, user: -l}]",
                   "2:29: error: \"cluster.hosts.user\" has the wrong type (got -l, expected a user name)"},
        BadCluster{
            "hosts: [{name: pi1}, {name: PI1}]",
            "2:31: error: the host \"PI1\" is listed twice; the first is at line 2; list it once, with the ranks of "
            "both"},
        BadCluster{
            "interfaces: [eth0, \"eth0,lo\"]\n  hosts: [{name: pi1}]",
            "2:22: error: \"cluster.interfaces\" has the wrong type (got the text \"eth0,lo\", expected an interface "
            "such as eth0 or a subnet such as 192.168.1.0/24)"},
        BadCluster{
            "interfaces: 192.168.1.0/33\n  hosts: [{name: pi1}]",
            "2:15: error: \"cluster.interfaces\" has the wrong type (got 192.168.1.0/33, expected an interface such as "
            "eth0 or a subnet such as 192.168.1.0/24, or a list of an interface such as eth0 or a subnet such as "
            "192.168.1.0/24)"},
        BadCluster{"folder: ~/edgelab\n  hosts: [{name: pi1}]",
                   "2:11: error: \"cluster.folder\" has the wrong type (got ~/edgelab, expected a folder of letters, "
                   "digits, _ "
                   "- . and /, without a part that is ..)"},
        BadCluster{"folder: a/../../b\n  hosts: [{name: pi1}]",
                   "2:11: error: \"cluster.folder\" has the wrong type (got a/../../b, expected a folder of letters, "
                   "digits, _ "
                   "- . and /, without a part that is ..)"},
        BadCluster{"folder: /\n  hosts: [{name: pi1}]",
                   "2:11: error: \"cluster.folder\" has the wrong type (got /, expected a folder of letters, digits, _ "
                   "- . and "
                   "/, without a part that is ..)"}));

TEST(ClusterExamples, TheDocumentShowsTheFileThatItNames) {
  const std::filesystem::path source = EDGELAB_SOURCE_DIR;
  std::stringstream document;
  document << std::ifstream(source / "docs/cluster.md").rdbuf();
  const std::size_t from = document.str().find("```yaml\n");
  ASSERT_NE(from, std::string::npos);
  const std::string example = document.str().substr(from + 8, document.str().find("```", from + 8) - from - 8);
  EXPECT_EQ(load_cluster(Folder().write("h.yaml", example)), load_cluster(source / "configs/cluster/pi4.yaml"));
}

TEST(ClusterExamples, AreHostFiles) {
  const std::filesystem::path source = EDGELAB_SOURCE_DIR;
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source / "configs/cluster")) {
    EXPECT_GE(load_cluster(entry.path()).hosts.size(), 1u) << entry.path();
    ++examples;
  }
  EXPECT_GE(examples, 2);
  EXPECT_EQ(load_cluster(source / "configs/cluster/pi4.yaml").ranks(), 16);
  EXPECT_EQ(load_cluster(source / "cluster/hosts.yaml"), load_cluster(source / "configs/cluster/this_machine.yaml"));
}

}  // namespace
}  // namespace edgelab::batch
