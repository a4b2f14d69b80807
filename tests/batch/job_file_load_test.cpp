#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "job_file_support.hpp"

namespace edgelab::batch {
namespace {

using test::Folder;
using test::ids_of;
using test::kDefaults;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(JobFileLoad, FillsAJobFromItsKeys) {
  const Batch batch = Folder().load(
      "name: night\njobs:\n  - id: a\n    task: evaluate\n    data: {dataset: cifar100, split: train, limit: 7, "
      "per_class: 2, shuffle: yes, resize: 64, interpolation: bicubic}\n"
      "    model: {arch: vit_tiny_patch16_224, classes: 12, img_size: 32, patch_size: 4, depth: 3, embed_dim: 96, "
      "num_heads: 3}\n"
      "    measure: {warmup: 0, repeats: 2}\n    ranks: 4\n    batch: 3\n    threads: 2\n    device: [cuda, cpu]\n    "
      "precision: bf16\n    attention: flash\n    graph: eager\n"
      "    seed: 9\n    keep_logits: true\n    retries: 1\n    priority: -2\n    on_failure: stop\n    time_limit: "
      "10m\n    memory_limit: 2GB\n    output: {model: out/m.safetensors}\n"
      "    parallel: {pipeline: 2, tensor: 2, microbatch: 3, partition: [1, 2], wire: fp16}\n    requires: {memory: "
      "1GiB, features: [avx2]}\n    placement: spread\n    checkpoint: {every: 2 epochs}\n"
      "    expect: [{top1_at_least: 0.5}, {latency_p50_at_most: 1.5ms}, {model_bytes_at_most: 3KB}]\n");
  ASSERT_EQ(batch.jobs.size(), 1u);
  EXPECT_EQ(batch.name, "night");
  const tasks::JobSpec& job = batch.jobs[0];
  EXPECT_EQ(job.task, tasks::Task::evaluate);
  EXPECT_EQ(job.data.dataset, "cifar100");
  EXPECT_EQ(job.data.split, tasks::Split::train);
  EXPECT_EQ(job.data.limit, 7);
  EXPECT_TRUE(job.data.shuffle);
  EXPECT_EQ(job.data.interpolation, tasks::Interpolation::bicubic);
  EXPECT_EQ(job.model.embed_dim, 96);
  EXPECT_TRUE(job.model.weights.random());
  EXPECT_EQ(job.measure.warmup, 0);
  EXPECT_EQ(job.ranks, 4);
  EXPECT_THAT(job.device, ElementsAre(tasks::Device::cuda, tasks::Device::cpu));
  EXPECT_EQ(job.precision, tasks::Precision::bf16);
  EXPECT_EQ(job.attention, tasks::Attention::flash);
  EXPECT_EQ(job.graph, tasks::GraphMode::eager);
  EXPECT_TRUE(job.stop_on_failure);
  EXPECT_EQ(job.placement, tasks::Placement::spread);
  EXPECT_EQ(job.time_limit_ns, 600'000'000'000);
  EXPECT_EQ(job.memory_limit_bytes, 2'000'000'000);
  EXPECT_THAT(job.output_model, ::testing::EndsWith("/out/m.safetensors"));
  EXPECT_EQ(job.output_model.front(), '/');
  EXPECT_EQ(job.parallel.pipeline, 2);
  EXPECT_THAT(job.parallel.partition, ElementsAre(1, 2));
  EXPECT_EQ(job.parallel.wire, tasks::Wire::fp16);
  EXPECT_EQ(job.requirements->memory_bytes, 1 << 30);
  EXPECT_EQ(job.checkpoint.every_epochs, 2);
  ASSERT_EQ(job.expect.size(), 3u);
  EXPECT_EQ(job.expect[1].kind, tasks::Expectation::Kind::latency_p50_at_most);
  EXPECT_EQ(job.expect[1].bound, 1.5e6);
  EXPECT_EQ(job.expect[1].text, "latency_p50_at_most: 1500us");
  EXPECT_EQ(job.expect[2].bound, 3000.0);
  EXPECT_EQ(job.place.line, 3);
  EXPECT_EQ(job.place.column, 5);
}

TEST(JobFileLoad, FillsTheSectionsOfTrainingAndCompression) {
  const Batch batch = Folder().load(
      kDefaults +
      "jobs:\n  - id: t\n    train: {epochs: 3, optimizer: {name: sgd, lr: 1e-1}, schedule: one_cycle, augment: [crop, "
      "flip], trainable: 'last:2', distill: {teacher: {arch: vit_small_patch16_224}}}\n"
      "  - id: l\n    train: {trainable: {lora: {rank: 4}}, schedule: {name: step, warmup_epochs: 1.5, step_epochs: [3, "
      "4.5], gamma: 0.3}, optimizer: {nesterov: true}}\n"
      "  - id: p\n    prune: {granularity: block1x4, sparsity: 0.8, schedule: gradual, finetune: {epochs: 2}}\n"
      "  - id: q\n    quantize: {weights: int4, calibration: {method: kl, data: {dataset: shapes10}}, mixed: "
      "{accuracy_budget: 0.5}, search: {trials: 3, budget: 1h}}\n");
  EXPECT_EQ(batch.jobs[0].train->trainable.last, 2);
  EXPECT_EQ(batch.jobs[0].train->optimizer.lr, 0.1);
  EXPECT_EQ(batch.jobs[0].train->distill->teacher.arch, "vit_small_patch16_224");
  EXPECT_EQ(batch.jobs[1].train->trainable.what, tasks::Trainable::lora);
  EXPECT_EQ(batch.jobs[1].train->trainable.lora.rank, 4);
  EXPECT_EQ(batch.jobs[1].train->schedule.warmup_epochs, 1.5);
  EXPECT_EQ(batch.jobs[1].train->schedule.step_epochs, (std::vector<double>{3, 4.5}));
  EXPECT_EQ(batch.jobs[1].train->schedule.gamma, 0.3);
  EXPECT_TRUE(batch.jobs[1].train->optimizer.nesterov);
  EXPECT_EQ(batch.jobs[2].prune->finetune->epochs, 2);
  EXPECT_EQ(batch.jobs[3].quantize->weights, tasks::WeightBits::int4);
  EXPECT_EQ(batch.jobs[3].quantize->calibration.data->dataset, "shapes10");
  EXPECT_EQ(batch.jobs[3].quantize->search->budget_ns, 3'600'000'000'000);
}

TEST(JobFileLoad, FillsWhatTrainingMayBeTold) {
  const Batch batch = Folder().load(
      kDefaults +
      "jobs:\n  - id: t\n    train: {label_smoothing: 0.1, drop_last: false, accumulate: 4, clip_norm: 1.5, ema: 0.999, "
      "batch_norm: frozen, reset: 'last:3', early_stopping: {patience: 7},\n"
      "            validate: {dataset: cifar10, limit: 500}, distill: {augmentations: 3}}\n    checkpoint: {every: 500 "
      "steps, keep: 5}\n  - id: plain\n    train: {}\n  - id: keeps\n    train: {reset: head}\n    checkpoint: {keep: 1}\n");
  const tasks::TrainSpec& told = *batch.jobs[0].train;
  EXPECT_EQ(told.label_smoothing, 0.1);
  EXPECT_FALSE(told.drop_last);
  EXPECT_EQ(told.accumulate, 4);
  EXPECT_EQ(told.clip_norm, 1.5);
  EXPECT_EQ(told.ema, 0.999);
  EXPECT_EQ(told.batch_norm, tasks::BatchNormMode::frozen);
  EXPECT_EQ(told.reset->what, tasks::Trainable::last);
  EXPECT_EQ(told.reset->last, 3);
  EXPECT_EQ(told.early_stopping, 7);
  EXPECT_EQ(told.validate->dataset, "cifar10");
  EXPECT_EQ(told.validate->limit, 500);
  EXPECT_FALSE(told.validate->split.has_value());
  EXPECT_EQ(told.distill->augmentations, 3);
  EXPECT_EQ(batch.jobs[0].checkpoint.every_steps, 500);
  EXPECT_EQ(batch.jobs[0].checkpoint.keep, 5);
  EXPECT_EQ(*batch.jobs[1].train, tasks::TrainSpec{});
  EXPECT_EQ(batch.jobs[1].checkpoint, tasks::CheckpointSpec{});
  EXPECT_EQ(batch.jobs[2].train->reset->what, tasks::Trainable::head);
  EXPECT_EQ(batch.jobs[2].checkpoint.keep, 1);
}

TEST(JobFileLoad, DefaultsMergeKeyByKeyAtEveryDepthAndListsReplace) {
  const Batch batch = Folder().load(
      "defaults: {task: bench, model: {arch: mobilenet_v2, classes: 10, weights: random}, device: [cuda, cpu]}\n"
      "jobs:\n  - {id: a, task: quantize}\n  - {id: b, needs: [a], device: [cpu], model: {weights: {job: a}}}\n");
  EXPECT_EQ(batch.jobs[1].model.arch, "mobilenet_v2");
  EXPECT_EQ(batch.jobs[1].model.classes, 10);
  EXPECT_EQ(batch.jobs[1].model.weights.job, "a");
  EXPECT_THAT(batch.jobs[1].device, ElementsAre(tasks::Device::cpu));
}

TEST(JobFileLoad, AWayInAJobPutsOutTheDefaultStrategy) {
  const Batch batch = Folder().load(
      "defaults: {task: bench, model: {arch: mobilenet_v2}, parallel: {strategy: pipeline, wire: bf16}}\njobs: [{id: "
      "a, ranks: 2, parallel: {tensor: 2}}]\n");
  EXPECT_EQ(batch.jobs[0].parallel.strategy, tasks::Strategy::none);
  EXPECT_EQ(batch.jobs[0].parallel.tensor, 2);
  EXPECT_EQ(batch.jobs[0].parallel.wire, tasks::Wire::bf16);
}

TEST(JobFileLoad, IncludesMergeInOrderAndTheLaterWins) {
  const Folder folder;
  folder.write("sub/base.yaml",
               "name: base\ndefaults: {task: bench, batch: 2, ranks: 3, model: {arch: mobilenet_v2}, data: {path: "
               "here}}\njobs: [{id: a, seed: 1}, {id: b}]\n");
  folder.write("more.yaml", "defaults: {batch: 4}\n");
  const Batch batch =
      folder.load("include: [sub/base.yaml, more.yaml]\ndefaults: {ranks: 1}\njobs: [{id: a, seed: 2}, {id: c}]\n");
  EXPECT_EQ(batch.name, "base");
  EXPECT_THAT(ids_of(batch), ElementsAre("a", "b", "c"));
  EXPECT_EQ(batch.jobs[0].seed, 2u);
  EXPECT_EQ(batch.jobs[0].batch, 4);
  EXPECT_EQ(batch.jobs[0].ranks, 1);
  EXPECT_EQ(batch.jobs[0].data.path, folder.path() + "/sub/here");
  EXPECT_EQ(batch.files.size(), 3u);
}

TEST(JobFileLoad, AnIncludeThatIsMissingOrACycleIsToldAtItsPlace) {
  const Folder folder;
  EXPECT_EQ(folder.errors("include: [none.yaml]\njobs: [{id: a}]\n"),
            "j.yaml:1:11: error: the included file none.yaml does not exist");
  folder.write("b.yaml", "include:\n  - c.yaml\n");
  folder.write("c.yaml", "include: b.yaml\n");
  EXPECT_EQ(folder.errors("include: b.yaml\n" + kDefaults + "jobs: [{id: a}]\n"),
            "c.yaml:1:10: error: the files include one another: b.yaml → c.yaml → b.yaml");
  EXPECT_EQ(folder.errors("include: j.yaml\n" + kDefaults + "jobs: [{id: a}]\n"),
            "j.yaml:1:10: error: the files include one another: j.yaml → j.yaml");
}

TEST(JobFileLoad, AnErrorInAnIncludedFileIsToldInThatFile) {
  const Folder folder;
  folder.write("b.yaml", "defaults:\n  rnaks: 2\n");
  EXPECT_EQ(folder.errors("include: b.yaml\n" + kDefaults + "jobs: [{id: a}]\n"),
            "b.yaml:2:3: error: unknown key \"defaults.rnaks\"; did you mean \"ranks\"?");
}

TEST(JobFileLoad, SeveralFilesAreOneBatchWithDefaultsOfTheirOwn) {
  const Folder folder;
  const auto one =
      folder.write("one.yaml", "defaults: {task: bench, batch: 2, model: {arch: mobilenet_v2}}\njobs: [{id: a}]\n");
  const auto two = folder.write(
      "two.yaml", "name: second\ndefaults: {task: bench, model: {arch: mobilenet_v2}}\njobs: [{id: b, needs: [a]}]\n");
  const Batch batch = load_batch({one, two});
  EXPECT_EQ(batch.name, "one");
  EXPECT_THAT(ids_of(batch), ElementsAre("a", "b"));
  EXPECT_EQ(batch.jobs[0].batch, 2);
  EXPECT_EQ(batch.jobs[1].batch, 1);
}

// Three files have a job `a`; two of them refer to it, each meaning its own.
class JobFilesOfSharedIds : public ::testing::Test {
 protected:
  std::vector<std::string> ids(const LoadOptions& options) const { return ids_of(load_batch(files_, options)); }

  const Folder folder_;
  const std::vector<std::filesystem::path> files_ = {
      folder_.write("one.yaml", kDefaults + "jobs: [{id: a}, {id: b, needs: [a], expect: [{speedup_over: {job: a, at_least: 1}}]}]\n"),
      folder_.write("two.yaml", "name: second\n" + kDefaults +
                                    "jobs: [{id: a, matrix: {batch: [1, 8]}}, {id: c, needs: [a, b, one/a], matrix: {seed: [1, 2]}, "
                                    "expect: [{speedup_over: {job: 'a[batch=8]', at_least: 1}}]}]\n"),
      folder_.write("three.yaml", kDefaults + "jobs: [{id: a}]\n")};
};

TEST_F(JobFilesOfSharedIds, CallTheJobsAfterTheirFiles) {
  const Batch batch = load_batch(files_);
  EXPECT_THAT(ids_of(batch), ElementsAre("one/a", "b", "second/a[batch=1]", "second/a[batch=8]", "c[seed=1]", "c[seed=2]", "three/a"));
  EXPECT_EQ(batch.jobs[2].sweep, "second/a");
  EXPECT_THAT(batch.jobs[1].needs, ElementsAre("one/a"));
  EXPECT_EQ(batch.jobs[1].expect[0].job, "one/a");
  EXPECT_THAT(batch.jobs[4].needs, ElementsAre("one/a", "b", "second/a[batch=1]", "second/a[batch=8]"));
  EXPECT_EQ(batch.jobs[4].expect[0].job, "second/a[batch=8]");
  EXPECT_THAT(batch.origins[4].refers_to, ElementsAre(3));
  EXPECT_EQ(batch.name, "one");
}

TEST_F(JobFilesOfSharedIds, AreTheSameJobsInTheResolvedFile) {
  const Batch batch = load_batch(files_), again = load_batch_text("again", batch.resolved);
  ASSERT_EQ(ids_of(again), ids_of(batch));
  for (std::size_t job = 0; job < batch.jobs.size(); ++job) EXPECT_EQ(again.jobs[job].resolved, batch.jobs[job].resolved);
}

TEST_F(JobFilesOfSharedIds, AreChosenAllByTheirIdAndOneByItsFile) {
  EXPECT_THAT(ids({.only = {"a"}}), ElementsAre("one/a", "second/a[batch=1]", "second/a[batch=8]", "three/a"));
  EXPECT_THAT(ids({.only = {"three/a", "a[batch=8]"}}), ElementsAre("second/a[batch=8]", "three/a"));
  EXPECT_THAT(ids({.only = {"second/a[#0]"}}), ElementsAre("second/a[batch=1]"));
  EXPECT_THAT(ids({.only = {"a[#1]"}}), ElementsAre("second/a[batch=8]"));
  EXPECT_THAT(ids({.only = {"c[#1]"}, .needs_met = true}), ElementsAre("second/a[batch=8]", "c[seed=2]"));
}

TEST_F(JobFilesOfSharedIds, AreSetAllByTheirIdAndOneByItsFile) {
  const Batch batch = load_batch(files_, {.set = {"jobs.a.threads=3", "jobs.three/a.batch=5", "name=all"}});
  EXPECT_EQ(batch.name, "all");
  for (const std::size_t job : {0u, 2u, 3u, 6u}) EXPECT_EQ(batch.jobs[job].threads.value_or(0), 3) << batch.jobs[job].id;
  EXPECT_EQ(batch.jobs[6].batch, 5);
  EXPECT_EQ(batch.jobs[0].batch, 1);
  EXPECT_EQ(batch.jobs[0].id, "one/a");
}

TEST(JobFileSet, OverridesDefaultsJobsAndTheName) {
  const std::string text = kDefaults + "jobs:\n  - {id: a, ranks: 2}\n  - {id: a.b}\n";
  const Batch batch = Folder().load(text, {.set = {"name=n", "defaults.batch=8", "jobs.a.ranks=3",
                                                   "jobs.a.b.data.limit=5", "jobs.a.device=[cuda, cpu]"},
                                           .only = {}});
  EXPECT_EQ(batch.name, "n");
  EXPECT_EQ(batch.jobs[0].batch, 8);
  EXPECT_EQ(batch.jobs[0].ranks, 3);
  EXPECT_EQ(batch.jobs[0].device.size(), 2u);
  EXPECT_EQ(batch.jobs[1].data.limit, 5);
}

TEST(JobFileSet, ErrorsStandAtTheOverrideItself) {
  const Folder folder;
  const auto errors = [&](const std::string& set) {
    return folder.errors(kDefaults + "jobs:\n  - {id: pipeline, matrix: {batch: [1, 2]}}\n",
                         {.set = {set}, .only = {}});
  };
  EXPECT_EQ(errors("defaults.batch=x"),
            "--set defaults.batch=x: error: \"defaults.batch\" has the wrong type (got x, expected a whole number from "
            "1 to 1,000,000)");
  EXPECT_EQ(errors("defaults.bacth=2"),
            "--set defaults.bacth=2: error: unknown key \"defaults.bacth\"; did you mean \"batch\"?");
  EXPECT_EQ(errors("jobs.pipline.ranks=2"),
            "--set jobs.pipline.ranks=2: error: no job has the id \"pipline\"; did you mean \"pipeline\"?");
  EXPECT_EQ(errors("batch=2"),
            "--set batch=2: error: unknown key \"batch\"; did you mean \"defaults.batch\" or \"jobs.ID.batch\"?");
  EXPECT_EQ(errors("batch"),
            "--set batch: error: an override has the form KEY=VALUE; for example --set defaults.batch=8");
  EXPECT_EQ(errors("defaults.batch=[1"), "--set defaults.batch=[1: error: the value is not YAML (got the text \"[1\")");
  EXPECT_EQ(errors("jobs.pipeline.batch=4"),
            "--set jobs.pipeline.batch=4: error: \"batch\" is varied by the matrix of \"pipeline\"; set "
            "jobs.pipeline.matrix to a map with the values wanted");
  EXPECT_THAT(errors("jobs.pipeline.id=x"),
              ::testing::StartsWith(
                  "--set jobs.pipeline.id=x: error: unknown key \"jobs.pipeline.id\"; known here: task, needs, "));
}

class JobFileWeights : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* old = std::getenv("EDGELAB_MODELS")) old_ = old;
  }
  void TearDown() override { old_.empty() ? unsetenv("EDGELAB_MODELS") : setenv("EDGELAB_MODELS", old_.c_str(), 1); }

  static std::string job(const std::string& weights) {
    return "jobs: [{id: a, task: bench, model: {arch: mobilenet_v2, weights: " + weights + "}}]\n";
  }

  Folder folder_;
  std::string old_;
};

TEST_F(JobFileWeights, AreFoundBesideTheJobFileFirstThenUnderTheModelsFolder) {
  folder_.write("models/w.safetensors", "");
  folder_.write("models/sub/v.safetensors", "");
  setenv("EDGELAB_MODELS", (folder_ / "models").c_str(), 1);
  EXPECT_EQ(folder_.load(job("w.safetensors")).jobs[0].model.weights.path, folder_.path() + "/models/w.safetensors");
  EXPECT_EQ(folder_.load(job("../elsewhere/w.safetensors")).jobs[0].model.weights.path,
            folder_.path() + "/models/w.safetensors");
  EXPECT_EQ(folder_.load(job("sub/v.safetensors")).jobs[0].model.weights.path,
            folder_.path() + "/models/sub/v.safetensors");
  folder_.write("w.safetensors", "");
  EXPECT_EQ(folder_.load(job("./w.safetensors")).jobs[0].model.weights.path, folder_.path() + "/w.safetensors");
}

TEST_F(JobFileWeights, MissingOnesAreTheEnvironmentsFaultAndNameEveryPlaceTried) {
  setenv("EDGELAB_MODELS", (folder_ / "models").c_str(), 1);
  try {
    folder_.load(job("w.safetensors"));
    FAIL();
  } catch (const JobFileErrors& errors) {
    EXPECT_EQ(errors.exit_code(), 3);
    EXPECT_THAT(errors.what(),
                HasSubstr("j.yaml:1:66: error: the weights \"w.safetensors\" were not found (got no file at " +
                          folder_.path() + "/w.safetensors, " + folder_.path() + "/models/w.safetensors)"));
  }
}

TEST_F(JobFileWeights, ThatOnlyAnUnselectedJobNeedsAreNotMissed) {
  const std::string text =
      "defaults: {task: bench, model: {arch: mobilenet_v2}}\njobs:\n  - {id: a, model: {weights: none.safetensors}}\n  "
      "- {id: b}\n";
  EXPECT_THAT(ids_of(folder_.load(text, {.set = {}, .only = {"b"}})), ElementsAre("b"));
}

}  // namespace
}  // namespace edgelab::batch
