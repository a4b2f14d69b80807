// What a supervisor hands over to the leaders that it starts.
#include "batch/supervisor/leader_folder.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "batch/supervisor/own_program.hpp"
#include "core/error.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::batch {
namespace {

constexpr const char* kBatch =
    "name: night\n"
    "cluster: {hosts: [{name: pi1, ranks: 2}], interfaces: [eth0]}\n"
    "defaults: {task: evaluate, model: {arch: mobilenet_v2, input_size: 32}, data: {dataset: shapes10, limit: 4}}\n"
    "jobs:\n"
    "  - {id: a, retries: 2, time_limit: 10m}\n"
    "  - {id: grid, needs: [a], matrix: {precision: [fp32, bf16]}, max_parallel: 1}\n";

TEST(LeaderFolder, HandsOverTheBatchAsItWasReadWhateverBecomesOfItsFile) {
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "night.yaml") << kBatch;
  const Batch given = load_batch({folder / "night.yaml"});
  const LeaderFolder leaders(folder.path());
  leaders.hand_over(given);
  std::ofstream(folder / "night.yaml") << "jobs: nonsense";
  const Batch got = leaders.batch();
  EXPECT_EQ(got.name, "night");
  EXPECT_EQ(got.resolved, given.resolved);
  EXPECT_EQ(got.cluster, given.cluster);
  EXPECT_EQ(got.files, given.files);
  ASSERT_EQ(got.jobs.size(), 3u);
  for (std::size_t job = 0; job < 3; ++job) {
    EXPECT_EQ(got.jobs[job].id, given.jobs[job].id);
    EXPECT_EQ(got.jobs[job].sweep, given.jobs[job].sweep);
    EXPECT_EQ(got.jobs[job].needs, given.jobs[job].needs);
    EXPECT_EQ(got.jobs[job].resolved, given.jobs[job].resolved) << "or --resume would take it for another job";
    EXPECT_EQ(got.jobs[job].place.line, given.jobs[job].place.line);
  }
}

TEST(LeaderFolder, OfTenThousandJobsToo) {
  const test::TemporaryDirectory folder;
  Batch batch = load_batch_text("night", kBatch);
  batch.jobs.resize(10'000, batch.jobs.front());
  const LeaderFolder leaders(folder.path());
  leaders.hand_over(batch);
  EXPECT_EQ(leaders.batch().jobs.size(), 10'000u);
}

TEST(LeaderFolder, TellsEachSideWhatTheOtherSaidSinceTheStart) {
  const test::TemporaryDirectory folder;
  const LeaderFolder supervisor(folder.path()), leader(folder.path());
  supervisor.prepare_start({{"pi3", 4}});
  EXPECT_FALSE(supervisor.leader_is_up());
  EXPECT_EQ(supervisor.silence().count(), 0) << "its loop has not turned yet";
  ASSERT_EQ(leader.away().size(), 1u);
  EXPECT_EQ(leader.away()[0].name, "pi3");
  EXPECT_EQ(leader.away()[0].ranks, 4);
  leader.say_that_leader_is_up();
  leader.beat();
  std::filesystem::last_write_time(folder / "beat", std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  supervisor.say_that_hosts_are_back();
  EXPECT_TRUE(supervisor.leader_is_up());
  EXPECT_GT(supervisor.silence(), std::chrono::minutes(59));
  EXPECT_TRUE(leader.hosts_are_back());
  leader.beat();
  EXPECT_LT(supervisor.silence(), std::chrono::minutes(1));
  supervisor.prepare_start({});
  EXPECT_FALSE(supervisor.leader_is_up());
  EXPECT_FALSE(leader.hosts_are_back());
  EXPECT_EQ(supervisor.silence().count(), 0);
  EXPECT_TRUE(leader.away().empty());
}

TEST(LeaderFolder, WhatIsDamagedIsAnErrorThatNamesIt) {
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "batch.json") << "{\"name\": \"night\"}";
  EXPECT_THROW(LeaderFolder(folder.path()).batch(), Error);
}

TEST(OwnProgram, IsInPlaceUntilOtherBytesHaveItsName) {
  const test::TemporaryDirectory folder;
  const auto installed = folder / "edgelab";
  std::filesystem::copy_file("/proc/self/exe", installed);
  const OwnProgram program(installed);
  EXPECT_TRUE(program.in_place()) << "the same bytes, installed once more";
  std::ofstream(installed, std::ios::app) << "another build";
  EXPECT_FALSE(program.in_place());
  program.copy_to(folder / "copy");
  EXPECT_EQ(access((folder / "copy").c_str(), X_OK), 0);
  EXPECT_EQ(std::filesystem::file_size(folder / "copy"), std::filesystem::file_size("/proc/self/exe"));
  std::filesystem::remove(installed);
  EXPECT_FALSE(program.in_place());
}

}  // namespace
}  // namespace edgelab::batch
