#include "tasks/task.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "tasks/forecast.hpp"
#include "tasks/mpi_once.hpp"
#include "tasks/small_job.hpp"

namespace edgelab::tasks {
namespace {

using example::small_job;

// Each test runs on Communicator::self().
class Tasks : public testing::Test {
 protected:
  static void SetUpTestSuite() { test::need_mpi(); }

  static results::JobRecord run(const JobSpec& spec, bool want_logits = true) {
    const parallel::Communicator self = parallel::Communicator::self();
    TaskContext context{self, 2, {}, {}, want_logits, {}, {}, {}};
    return run_task(spec, context);
  }
};

TEST_F(Tasks, InferTimesEveryCallOfEveryRepeatAndKeepsOneAnswerASample) {
  const results::JobRecord record = run(small_job(Task::infer));
  EXPECT_EQ(record.repeats, 2);
  EXPECT_EQ(record.calls, 4);  // 13 samples in batches of 4, the last one short
  EXPECT_EQ(record.latency_ns.size(), 8u);
  EXPECT_EQ(record.predictions.size(), 13u);
  EXPECT_EQ(record.labels.size(), 13u);
  EXPECT_EQ(record.logits.size(), 130u);
  EXPECT_EQ(*record.summary.samples, 13);
  EXPECT_GT(*record.summary.latency_p50_ns, 0);
  EXPECT_GE(*record.summary.latency_p99_ns, *record.summary.latency_p50_ns);
  EXPECT_GT(*record.summary.throughput_samples_per_second, 0.0);
  EXPECT_GT(*record.summary.time_to_first_inference_ns, record.latency_ns.front());
}

TEST_F(Tasks, EvaluateAndInferGiveTheSameAnswers) {
  const results::JobRecord inferred = run(small_job(Task::infer));
  const results::JobRecord evaluated = run(small_job(Task::evaluate));
  EXPECT_EQ(inferred.predictions, evaluated.predictions);
  EXPECT_EQ(inferred.labels, evaluated.labels);
  EXPECT_EQ(inferred.logits, evaluated.logits);
  EXPECT_EQ(evaluated.repeats, 1);
}

TEST_F(Tasks, AttentionIsComputedTheWayThatTheJobAsksFor) {
  JobSpec spec = small_job(Task::bench);
  spec.model = {};
  spec.model.arch = "deit_tiny_patch16_224";
  spec.model.depth = 1;
  spec.model.img_size = 64;
  spec.data = {};
  const auto implementation = [](const results::JobRecord& record) {
    for (const results::LayerRow& row : record.layers) {
      if (row.op.starts_with("attention")) return row.implementation;
    }
    return std::string("no attention");
  };
  spec.attention = Attention::flash;
  const results::JobRecord flash = run(spec);
  spec.attention = Attention::naive;
  const results::JobRecord naive = run(spec);
  EXPECT_TRUE(implementation(flash).starts_with("flash")) << implementation(flash);
  EXPECT_FALSE(implementation(naive).starts_with("flash")) << implementation(naive);
  ASSERT_EQ(flash.logits.size(), naive.logits.size());
  for (std::size_t i = 0; i < flash.logits.size(); ++i) EXPECT_NEAR(flash.logits[i], naive.logits[i], 1e-4);
}

TEST_F(Tasks, FlashAttentionThatCannotBeHadIsAnErrorWithTheReason) {
  JobSpec spec = small_job(Task::bench);
  spec.model = {};
  spec.model.arch = "deit_tiny_patch16_224";
  spec.model.depth = 1;
  spec.model.img_size = 32;
  spec.model.embed_dim = 528;
  spec.model.num_heads = 1;
  spec.data = {};
  spec.attention = Attention::flash;
  try {
    run(spec);
    ADD_FAILURE() << "it ran";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("attention: flash can't be had for layer blocks.0.attn"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("wider than 512"), std::string::npos) << error.what();
  }
  spec.attention = Attention::automatic;
  EXPECT_NO_THROW(run(spec));
}

TEST_F(Tasks, EagerAndFusedGraphsAgreeWithinRounding) {
  JobSpec spec = small_job(Task::evaluate);
  const results::JobRecord fused = run(spec);
  spec.graph = GraphMode::eager;
  const results::JobRecord eager = run(spec);
  ASSERT_EQ(fused.logits.size(), eager.logits.size());
  for (std::size_t i = 0; i < fused.logits.size(); ++i) EXPECT_NEAR(fused.logits[i], eager.logits[i], 1e-3);
  EXPECT_GT(eager.layers.size(), fused.layers.size());
}

TEST_F(Tasks, AnswersDoNotDependOnTheBatch) {
  JobSpec spec = small_job(Task::evaluate);
  const results::JobRecord four = run(spec);
  spec.batch = 1;
  const results::JobRecord one = run(spec);
  ASSERT_EQ(four.logits.size(), one.logits.size());
  for (std::size_t i = 0; i < one.logits.size(); ++i) EXPECT_NEAR(four.logits[i], one.logits[i], 1e-3);
}

TEST_F(Tasks, BenchNeedsNoDataAndFillsItsRepeats) {
  JobSpec spec = small_job(Task::bench);
  spec.data = {};
  const results::JobRecord record = run(spec, false);
  EXPECT_EQ(record.latency_ns.size(), static_cast<std::size_t>(record.repeats * record.calls));
  EXPECT_GE(record.calls, 5);
  EXPECT_EQ(*record.summary.samples, 4);
  EXPECT_FALSE(record.summary.top1.has_value());
  EXPECT_EQ(record.classes, 1000);
  EXPECT_TRUE(record.logits.empty());  // nobody asked for them
}

TEST_F(Tasks, EveryLayerSaysWhatRanAndWhatItCost) {
  const results::JobRecord record = run(small_job(Task::bench));
  ASSERT_FALSE(record.layers.empty());
  std::int64_t flop = 0;
  for (const results::LayerRow& row : record.layers) {
    EXPECT_FALSE(row.implementation.empty()) << row.name;
    EXPECT_FALSE(row.op.empty()) << row.name;
    EXPECT_EQ(row.effective_dtype, "fp32") << row.name;
    flop += row.flop;
  }
  // The passes fold work away (norms, activations), never add any.
  EXPECT_LE(flop, record.model.flop_per_sample * record.batch);
  EXPECT_GT(flop, record.model.flop_per_sample * record.batch / 2);
}

TEST_F(Tasks, TheSameSeedGivesTheSameWeightsAndAnotherOneOthers) {
  JobSpec spec = small_job(Task::evaluate);
  EXPECT_EQ(run(spec).logits, run(spec).logits);
  JobSpec other = spec;
  other.seed = 1;
  EXPECT_NE(run(spec).logits, run(other).logits);
}

TEST_F(Tasks, ACancelledTaskEndsAtTheNextCall) {
  const parallel::Communicator self = parallel::Communicator::self();
  int polls = 0;
  TaskContext context{self, 1, {}, [&] { return ++polls > 2; }, false, {}, {}, {}};
  EXPECT_THROW(run_task(small_job(Task::infer), context), Cancelled);
  EXPECT_EQ(polls, 3);
}

std::string problems_text(const JobSpec& spec) {
  std::string text;
  for (const Error& error : unsupported(spec)) text += std::string(error.what()) + "\n";
  return text;
}

TEST_F(Tasks, WhatThisVersionCannotDoIsSaidBeforeItStarts) {
  EXPECT_EQ(problems_text(small_job(Task::infer)), "");
  JobSpec spec = small_job(Task::infer);
  spec.device = {Device::cuda};
  spec.ranks = 4;
  const std::string text = problems_text(spec);
  for (const char* part : {"CUDA", "ranks"}) EXPECT_NE(text.find(part), std::string::npos) << text;
  EXPECT_NE(problems_text(small_job(Task::quantize)).find("quantize is missing"), std::string::npos);
  EXPECT_NE(problems_text(small_job(Task::prune)).find("prune is missing"), std::string::npos);
  JobSpec training = small_job(Task::train);
  EXPECT_NE(problems_text(training).find("train is missing"), std::string::npos);
  training.train.emplace();
  EXPECT_EQ(problems_text(training), "");
  training.precision = Precision::int8;
  EXPECT_NE(problems_text(training).find("fp32 or bf16"), std::string::npos);
  training.precision = Precision::fp32;
  training.train->search.emplace();
  EXPECT_EQ(problems_text(training), "");
  training.train->search->objective = SearchObjective::size;
  EXPECT_NE(problems_text(training).find("train.search.objective"), std::string::npos);
}

TEST_F(Tasks, AnOptionThatDoesNotFitTheModelIsNamedWithItsKey) {
  JobSpec spec = small_job(Task::infer);
  spec.model.depth = 3;
  EXPECT_NE(problems_text(spec).find("model.depth"), std::string::npos) << problems_text(spec);
  spec.model.arch = "mobilenet_v3";
  EXPECT_NE(problems_text(spec).find("mobilenet_v2"), std::string::npos) << problems_text(spec);
}

TEST_F(Tasks, ImagesOfAnotherSizeThanTheModelTakesAreAnError) {
  JobSpec spec = small_job(Task::infer);
  spec.data.resize = 64;  // and model.input_size: 32
  EXPECT_NE(problems_text(spec).find("data.resize"), std::string::npos) << problems_text(spec);
  spec.model.input_size.reset();
  EXPECT_EQ(problems_text(spec), "");
}

TEST_F(Tasks, TheForecastCountsCallsAndMemory) {
  const Forecast planned = forecast(small_job(Task::infer), 2);
  EXPECT_EQ(planned.samples, 13);
  EXPECT_EQ(planned.calls, (1 + 2) * 4);
  EXPECT_GT(planned.latency_ns, 0);
  EXPECT_GT(planned.arena_bytes, 0);
  EXPECT_EQ(planned.wire_bytes, 0);
  JobSpec sharded = small_job(Task::evaluate);
  sharded.ranks = 2;
  EXPECT_EQ(forecast(sharded, 1).wire_bytes, 6 * (10 * 4 + 4));  // 13 samples: 7 and 6
}

}  // namespace
}  // namespace edgelab::tasks
