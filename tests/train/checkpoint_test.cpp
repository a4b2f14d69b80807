#include "train/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "core/error.hpp"
#include "core/file.hpp"
#include "support/expect_error.hpp"
#include "support/power_cut.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::train {
namespace {

namespace fs = std::filesystem;
using edgelab::test::RecordedDisk;
using edgelab::test::TemporaryDirectory;
using models::NamedTensor;
using edgelab::test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

NamedTensor filled(std::string name, Shape shape, float value) {
  Tensor tensor(DType::f32, shape);
  for (float& each : tensor.as<float>()) each = value++;
  return {std::move(name), std::move(tensor)};
}

Checkpoint sample(std::int64_t steps) {
  const auto start = static_cast<float>(steps);
  Checkpoint checkpoint;
  Progress& progress = checkpoint.progress;
  progress.steps = steps;
  progress.epoch = steps / 10;
  progress.step = steps % 10;
  progress.seed = 0xFEDCBA9876543210u;
  progress.loss_sum = 0.1 * static_cast<double>(steps) + 1e-17;
  progress.loss_samples = 3;
  for (std::int64_t epoch = 0; epoch < progress.epoch; ++epoch)
    progress.history.push_back({epoch, 1.0 / 3.0, 1e-3, 0.7, 123'456'789'012});
  checkpoint.model = {filled("head.weight", {2, 3}, start), filled("head.bias", {2}, -start)};
  checkpoint.optimizer = {filled("exp_avg.head.weight", {2, 3}, 2 * start)};
  checkpoint.average = {filled("head.weight", {2, 3}, 3 * start)};
  return checkpoint;
}

bool same_tensors(std::vector<NamedTensor> a, std::vector<NamedTensor> b) {
  const auto text = [](const NamedTensor& each) {
    return each.name + each.tensor.shape().text() + std::string(reinterpret_cast<const char*>(each.tensor.data()), each.tensor.bytes());
  };
  std::vector<std::string> left, right;
  for (const NamedTensor& each : a) left.push_back(text(each));
  for (const NamedTensor& each : b) right.push_back(text(each));
  std::ranges::sort(left);
  std::ranges::sort(right);
  return left == right;
}

bool same(const Checkpoint& a, const Checkpoint& b) {
  return a.progress == b.progress && same_tensors(a.model, b.model) && same_tensors(a.optimizer, b.optimizer) &&
         same_tensors(a.average, b.average);
}

std::string bytes_of(const fs::path& path) {
  const auto bytes = read_file(path, 1 << 20);
  return {bytes.begin(), bytes.end()};
}

// Under a new inode: some file systems bring one that is cut to nothing to disk at once.
void put_bytes(const fs::path& path, const std::string& bytes) {
  fs::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

TEST(Progress, ComesBackFromJsonAsItWas) {
  Progress progress = sample(35).progress;
  progress.best_metric = 0.1 + 0.2;
  progress.best_steps = 30;
  progress.history[1].top1.reset();
  EXPECT_EQ(progress_from_json(to_json(progress)), progress);
  EXPECT_EQ(progress_from_json(to_json(Progress{})), Progress{});
  progress.history[0].loss = std::numeric_limits<double>::infinity();
  progress.best_metric = NAN;
  const Progress back = progress_from_json(to_json(progress));
  EXPECT_TRUE(std::isnan(back.history[0].loss));
  EXPECT_TRUE(std::isnan(*back.best_metric));
  EXPECT_THAT(message_of(ErrorKind::data, [] { progress_from_json("{\"steps\": \"many\"}"); }), HasSubstr("progress"));
}

TEST(Checkpoint, ComesBackAsItWas) {
  const TemporaryDirectory folder;
  const Checkpoint checkpoint = sample(47);
  write_checkpoint(folder / "c.safetensors", checkpoint, "config 1");
  EXPECT_TRUE(same(read_checkpoint(folder / "c.safetensors", "config 1"), checkpoint));
  Checkpoint bare;
  write_checkpoint(folder / "c.safetensors", bare, "");
  EXPECT_TRUE(same(read_checkpoint(folder / "c.safetensors", ""), bare));
}

// Or, where spaces of the header were changed for other white space, still the same.
TEST(Checkpoint, OfWhichAnyByteWasAlteredIsRefused) {
  const TemporaryDirectory folder;
  const fs::path path = folder / "c.safetensors";
  const Checkpoint checkpoint = sample(12);
  write_checkpoint(path, checkpoint, "config 1");
  const std::string whole = bytes_of(path);
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string altered = whole;
      altered[at] = static_cast<char>(altered[at] ^ (1 << bit));
      put_bytes(path, altered);
      try {
        EXPECT_TRUE(same(read_checkpoint(path, "config 1"), checkpoint)) << "byte " << at << ", bit " << bit;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::data) << error.what();
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, static_cast<int>(whole.size() * 3) - 30);
  std::string altered = whole;
  altered.back() = static_cast<char>(altered.back() ^ 1);
  put_bytes(path, altered);
  EXPECT_THAT(message_of(ErrorKind::data, [&] { read_checkpoint(path, "config 1"); }),
              testing::ContainsRegex("damaged.*got [0-9a-f]{64}, expected [0-9a-f]{64}"));
}

TEST(Checkpoint, CutShortAnywhereIsRefused) {
  const TemporaryDirectory folder;
  const fs::path path = folder / "c.safetensors";
  write_checkpoint(path, sample(12), "config 1");
  const std::string whole = bytes_of(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    put_bytes(path, whole.substr(0, size));
    EXPECT_THAT(message_of(ErrorKind::data, [&] { read_checkpoint(path, "config 1"); }), HasSubstr("c.safetensors"));
  }
}

TEST(Checkpoint, ComesBackFromMemoryAsFromAFile) {
  const Checkpoint checkpoint = sample(7);
  const auto bytes = checkpoint_bytes(checkpoint, "config");
  EXPECT_TRUE(same(checkpoint, checkpoint_of_bytes(bytes, "memory", "config")));
  EXPECT_THAT(message_of(ErrorKind::usage, [&] { checkpoint_of_bytes(bytes, "memory", "another"); }), HasSubstr("memory"));
}

TEST(Checkpoint, OfAnotherConfigurationIsRefused) {
  const TemporaryDirectory folder;
  write_checkpoint(folder / "c.safetensors", sample(1), "config 1");
  EXPECT_THAT(message_of(ErrorKind::usage, [&] { read_checkpoint(folder / "c.safetensors", "config 2"); }),
              HasSubstr("got config 1, expected config 2"));
}

TEST(Checkpoint, IsNotJustAnySafetensorsFile) {
  const TemporaryDirectory folder;
  models::write_safetensors(folder / "c.safetensors", sample(1).model);
  EXPECT_THAT(message_of(ErrorKind::data, [&] { read_checkpoint(folder / "c.safetensors", ""); }), HasSubstr("not a checkpoint"));
}

TEST(CheckpointFolder, KeepsTheNewestAndTheBest) {
  const TemporaryDirectory work;
  const CheckpointFolder folder(work / "a/b", 2, "c");
  EXPECT_FALSE(folder.latest().has_value());
  for (const std::int64_t steps : {10, 20, 30, 40, 50}) {
    Checkpoint checkpoint = sample(steps);
    checkpoint.progress.best_steps = std::min<std::int64_t>(steps, 20);
    folder.save(checkpoint);
    EXPECT_TRUE(same(*folder.latest(), checkpoint));
  }
  EXPECT_THAT(names_in(work / "a/b"),
              ElementsAre("step-000000000020.safetensors", "step-000000000040.safetensors", "step-000000000050.safetensors"));
  EXPECT_EQ(folder.at(20).progress.steps, 20);
  folder.clear();
  EXPECT_FALSE(folder.latest().has_value());
  EXPECT_TRUE(names_in(work / "a/b").empty());
}

TEST(CheckpointFolder, LeavesOtherFilesAlone) {
  const TemporaryDirectory work;
  const std::vector<std::string> others = {"notes.txt", "notes.part", "step-.safetensors", "step-1x.safetensors", "step--4.safetensors"};
  for (const std::string& name : others) put_bytes(work / name, "mine");
  put_bytes(work / "step-000000000007.safetensors.part", "left by a kill");
  const CheckpointFolder folder(work.path(), 1, "c");
  folder.save(sample(5));
  folder.save(sample(6));
  folder.clear();
  for (const std::string& name : others) EXPECT_EQ(bytes_of(work / name), "mine");
  EXPECT_EQ(names_in(work.path()).size(), others.size());
}

TEST(CheckpointFolder, PassesOverDamagedOnes) {
  const TemporaryDirectory work;
  const CheckpointFolder folder(work.path(), 5, "c");
  for (const std::int64_t steps : {10, 20, 30}) folder.save(sample(steps));
  std::string bytes = bytes_of(folder.path_of(30));
  put_bytes(folder.path_of(30), bytes.substr(0, bytes.size() / 2));
  bytes = bytes_of(folder.path_of(20));
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 4);
  put_bytes(folder.path_of(20), bytes);
  testing::internal::CaptureStderr();
  const auto latest = folder.latest();
  const std::string warnings = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(same(latest.value(), sample(10)));
  EXPECT_THAT(warnings, testing::AllOf(HasSubstr("step-000000000030"), HasSubstr("step-000000000020")));
  // Training goes on from 10: what is further on belongs to no run any more.
  folder.save(sample(15));
  EXPECT_THAT(names_in(work.path()), ElementsAre("step-000000000010.safetensors", "step-000000000015.safetensors"));
}

TEST(CheckpointFolder, SaysThatItBelongsToAnotherConfiguration) {
  const TemporaryDirectory work;
  CheckpointFolder(work.path(), 1, "one").save(sample(5));
  EXPECT_THAT(message_of(ErrorKind::usage, [&] { CheckpointFolder(work.path(), 1, "two").latest(); }), HasSubstr("another configuration"));
}

TEST(CheckpointFolder, LosesNothingAcknowledgedInAPowerCut) {
  const TemporaryDirectory work;
  std::vector<std::pair<std::size_t, std::int64_t>> acknowledged;  // after so many changes of the disk: steps saved
  std::optional<RecordedDisk> disk(work.path());
  for (const std::int64_t steps : {3, 6, 9, 12}) {
    Checkpoint checkpoint = sample(steps);
    checkpoint.progress.best_steps = 3;
    CheckpointFolder(work / "kept", 2, "c").save(checkpoint);
    acknowledged.emplace_back(disk->model().changes(), steps);
  }
  const edgelab::test::DiskModel model = disk->model();
  disk.reset();
  const edgelab::test::NoWaitForTheDisk quick;
  const std::size_t states = edgelab::test::after_every_cut(model, 6, [&](const fs::path& root, std::size_t changes) {
    std::int64_t expected = 0;
    for (const auto& [after, steps] : acknowledged) expected = after <= changes ? steps : expected;
    const CheckpointFolder folder(root / "kept", 2, "c");
    const auto latest = folder.latest();
    ASSERT_EQ(latest.has_value() || expected == 0, true) << "cut after change " << changes;
    if (!latest) return;
    EXPECT_TRUE(latest->progress.steps == expected || latest->progress.steps == expected + 3);
    Checkpoint whole = sample(latest->progress.steps);
    whole.progress.best_steps = 3;
    EXPECT_TRUE(same(*latest, whole));
    if (expected > 0) {
      EXPECT_EQ(folder.at(3).progress.steps, 3);  // the best
    }
  });
  EXPECT_GT(states, 50u);
}

}  // namespace
}  // namespace edgelab::train
