// Job files that join a running batch: they stand alone, and their paths stay within the batch's folders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "batch/job_file/batch.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::batch {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class JobFileRoots : public testing::Test {
 protected:
  JobFileRoots() {
    fs::create_directories(folder_ / "mine" / "data");
    fs::create_directories(folder_ / "theirs");
    fs::create_symlink(folder_ / "theirs", folder_ / "mine" / "way-out");
  }

  // The errors of a job that reads its data there, or "".
  std::string errors_with(const fs::path& data) const {
    LoadOptions options;
    options.roots = {folder_ / "mine"};
    try {
      load_batch_text("more.yaml", "jobs:\n  - {id: a, task: evaluate, model: {arch: mobilenet_v2}, data: {dataset: cifar10, path: " + data.string() + "}}\n", options);
    } catch (const JobFileErrors& errors) {
      return errors.what();
    }
    return "";
  }

  test::TemporaryDirectory folder_;
};

TEST_F(JobFileRoots, PathsUnderARootAndRandomWeightsAreFine) {
  EXPECT_EQ(errors_with(folder_ / "mine" / "data"), "");
  LoadOptions options;
  options.roots = {folder_ / "mine"};
  EXPECT_NO_THROW(load_batch_text("more.yaml", "jobs:\n  - {id: a, task: bench, model: {arch: mobilenet_v2, weights: random}}\n", options));
}

TEST_F(JobFileRoots, PathsElsewhereAreRefusedWithTheirPlace) {
  const std::string errors = errors_with(folder_ / "theirs");
  EXPECT_THAT(errors, HasSubstr("more.yaml:2:"));
  EXPECT_THAT(errors, HasSubstr("leads out of the folders"));
}

TEST_F(JobFileRoots, DotsAndLinksThatLeadOutAreSeenThrough) {
  EXPECT_THAT(errors_with(folder_ / "mine" / ".." / "theirs"), HasSubstr("leads out"));
  EXPECT_THAT(errors_with(folder_ / "mine" / "way-out" / "x"), HasSubstr("leads out"));
  EXPECT_THAT(errors_with((folder_ / "mine").string() + "-not"), HasSubstr("leads out")) << "a name that begins alike is another folder";
}

TEST_F(JobFileRoots, AFileInMemoryIncludesNothing) {
  try {
    load_batch_text("more.yaml", "include: /etc/passwd\njobs: []\n");
    FAIL();
  } catch (const JobFileErrors& errors) {
    EXPECT_THAT(errors.what(), HasSubstr("can't include"));
    EXPECT_THAT(errors.what(), testing::Not(HasSubstr("root:")));
  }
}

TEST_F(JobFileRoots, WhatABatchResolvesToJoinsAsItIs) {
  const Batch batch = load_batch_text("more.yaml", "jobs:\n  - {id: s, task: bench, model: {arch: mobilenet_v2}, matrix: {batch: [1, 2]}}\n");
  const Batch again = load_batch_text("resolved", batch.resolved);
  ASSERT_EQ(again.jobs.size(), 2u);
  EXPECT_EQ(again.jobs[1].id, batch.jobs[1].id);
  EXPECT_EQ(again.jobs[1].resolved, batch.jobs[1].resolved);
}

}  // namespace
}  // namespace edgelab::batch
