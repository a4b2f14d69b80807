#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "job_file_support.hpp"

namespace edgelab::batch {
namespace {

using test::Folder;
using ::testing::HasSubstr;

std::string example(const std::string& name) {
  std::ifstream stream(std::string(EDGELAB_SOURCE_DIR) + "/jobs/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

const std::vector<std::string> kExamples = {"demo.yaml", "lab1_mobilenet_edge.yaml", "lab4_deit_edge.yaml"};

// Loading gives jobs or JobFileErrors with places in the file; anything else fails the test.
void load_somehow(const Folder& folder, const std::string& text) {
  try {
    folder.load(text);
  } catch (const JobFileErrors& errors) {
    EXPECT_FALSE(errors.errors().empty());
    EXPECT_THAT(errors.what(), HasSubstr("error: "));
  }
}

TEST(HostileJobFile, AnExampleCutShortAnywhereGivesJobsOrErrors) {
  const Folder folder;
  for (const std::string& name : kExamples) {
    const std::string text = example(name);
    ASSERT_GT(text.size(), 500u) << name;
    for (std::size_t length = 0; length < text.size(); length += 7) load_somehow(folder, text.substr(0, length));
  }
}

TEST(HostileJobFile, AnExampleWithBytesChangedGivesJobsOrErrors) {
  const Folder folder;
  std::mt19937 random(5);
  const std::string marks = "{}[]:,-#&*!|>'\"%@` \n\t\\?0e\xc3";
  for (const std::string& name : kExamples) {
    const std::string text = example(name);
    for (int i = 0; i < 400; ++i) {
      std::string changed = text;
      for (unsigned n = 0; n < 1 + random() % 4; ++n) {
        changed[random() % changed.size()] =
            random() % 2 ? marks[random() % marks.size()] : static_cast<char>(random());
      }
      load_somehow(folder, changed);
    }
  }
}

TEST(HostileJobFile, AliasesThatMultiplyAreRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int n = 0; n < 9; ++n) text += ", " + before;
    text += "]\n";
  }
  EXPECT_THAT(Folder().errors(text), HasSubstr("error: the file has more than 200000 values"));
}

TEST(HostileJobFile, AnAliasInsideItsOwnMeaningIsRefused) {
  EXPECT_EQ(Folder().errors("a: &a [1, *a]\n"), "j.yaml:1:11: error: an alias can't stand inside what it means");
}

TEST(HostileJobFile, AliasesMeanWhatTheyStandFor) {
  const Batch batch = Folder().load(
      "jobs:\n  - {id: a, task: bench, model: &m {arch: mobilenet_v2, classes: 4}}\n  - {id: b, task: bench, model: "
      "*m}\n");
  EXPECT_EQ(batch.jobs[1].model.classes, 4);
}

TEST(HostileJobFile, TooDeepTooLongAndTooLargeFilesAreRefused) {
  const Folder folder;
  EXPECT_THAT(folder.errors("a: " + std::string(40, '[') + std::string(40, ']')),
              HasSubstr("j.yaml:1:35: error: lists and maps are nested deeper than 32 levels"));
  EXPECT_THAT(folder.errors("a: " + std::string(100'000, '[')), HasSubstr("error: "));
  std::string keys;
  for (int i = 0; i < 2000; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(folder.errors(keys), HasSubstr("j.yaml:1001:1: error: one map has more than 1000 keys"));
  EXPECT_EQ(folder.errors(std::string(2 << 20, 'x')),
            "j.yaml:1:1: error: the file is larger than a job file may be, 1 MiB");
  EXPECT_THAT(folder.errors("name: " + std::string(5000, 'x') + "\n"),
              HasSubstr("j.yaml:1:7: error: \"name\" is too long"));
}

TEST(HostileJobFile, FilesThatIncludeOneAnotherTwiceEachEnd) {
  const Folder folder;
  for (int i = 0; i < 20; ++i) {
    const std::string next = "f" + std::to_string(i + 1) + ".yaml";
    folder.write("f" + std::to_string(i) + ".yaml", "include: [" + next + ", " + next + "]\n");
  }
  folder.write("f20.yaml", "name: x\n");
  EXPECT_THAT(folder.errors("include: f0.yaml\njobs: []\n"), HasSubstr("error: more than 100 files are included"));
}

TEST(HostileJobFile, AThousandErrorsAreEnough) {
  std::string text = "jobs:\n";
  for (int i = 0; i < 3000; ++i) text += "  - {x" + std::to_string(i) + ": 1}\n";
  try {
    Folder().load(text);
    FAIL();
  } catch (const JobFileErrors& errors) {
    EXPECT_EQ(errors.errors().size(), 1001u);
  }
}

}  // namespace
}  // namespace edgelab::batch
