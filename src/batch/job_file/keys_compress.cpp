// prune, quantize and what stands under them.
#include "batch/job_file/binding.hpp"
#include "batch/job_file/sections.hpp"

namespace edgelab::batch {

using namespace tasks;

const Section& prune_section() {
  static const Section made = [] {
    Section all = section<PruneSpec>(
        "prune", "For `task: prune`.",
        {
            key("method", choice(enum_choices<PruneMethod>()), &PruneSpec::method, "how a weight's worth is judged"),
            key("granularity", choice(enum_choices<Granularity>()), &PruneSpec::granularity,
                "what goes together; `channel` makes the model smaller"),
            key("sparsity", number(0, 1), &PruneSpec::sparsity, "share of weights that become zero",
                "none; give it or `flops`"),
            key("flops", number_above(0, 1), &PruneSpec::flops, "share of the dense model's FLOPs that stays",
                "none; give it or `sparsity`"),
            key("n", integer(1, 64), &PruneSpec::n, "`n_m`: how many of `m` inputs of an output stay"),
            key("m", integer(2, 64), &PruneSpec::m, "`n_m`: consecutive inputs that are judged together"),
            key("per_layer", boolean(), &PruneSpec::per_layer,
                "the same share of each layer, not the least important weights of all layers together"),
            key("skip", list(text()), &PruneSpec::skip, "layers left as they are",
                "none; never pruned are depthwise convolutions, what reads the images, and the classifier's outputs"),
            key("batches", integer(1, 100'000), &PruneSpec::batches, "`taylor`: batches that gradients are taken over"),
            key("schedule", choice(enum_choices<PruneSchedule>()), &PruneSpec::schedule,
                "at once before fine-tuning, along a cubic curve during it, or in rounds with fine-tuning after each"),
            key("ramp", number_above(0, 1), &PruneSpec::ramp,
                "`gradual`: share of the fine-tuning in which zeros grow; the rest trains with all of them"),
            key("rounds", integer(1, 100), &PruneSpec::rounds, "`iterative`: how many"),
            key("finetune", map(train_section), &PruneSpec::finetune, "as `train`; of `iterative` once a round", "none"),
            key("sensitivity", list(number(0, 1), 1), &PruneSpec::sensitivity,
                "shares of weights (of `channel`: of channels) that are left out of each layer alone, to see what that costs on the held-out images", "no scan"),
        });
    all.alternatives = {{"sparsity"}, {"flops"}};
    return all;
  }();
  return made;
}

const Section& calibration_section() {
  static const Section made = section<CalibrationSpec>(
      "calibration", "Finds the ranges of activations.",
      {
          key("method", choice(enum_choices<CalibrationMethod>()), &CalibrationSpec::method, "how a range is chosen"),
          key("percentile", number_above(50, 100), &CalibrationSpec::percentile,
              "`percentile`: how many of the numbers, in the middle, the range holds, per cent"),
          key("data", map(data_section), &CalibrationSpec::data,
              "as `data`, but alone: nothing comes from `defaults.data`", "512 images of the training split of the job's data set"),
      });
  return made;
}

const Section& mixed_section() {
  static const Section made = section<MixedSpec>(
      "mixed", "Leaves layers in fp32 until the accuracy holds.",
      {
          key("accuracy_budget", number(0, 100), &MixedSpec::accuracy_budget, "percentage points that may be lost"),
      });
  return made;
}

const Section& quantize_section() {
  static const Section made = section<QuantizeSpec>(
      "quantize", "For `task: quantize`.",
      {
          key("calibration", map(calibration_section), &QuantizeSpec::calibration, "see `calibration`"),
          key("scheme", choice(enum_choices<Scheme>()), &QuantizeSpec::scheme, "of activations"),
          key("weights", choice(enum_choices<WeightBits>()), &QuantizeSpec::weights, "bits of the weights"),
          key("per_channel", boolean(), &QuantizeSpec::per_channel, "one scale an output channel, not one a tensor"),
          key("keep_fp32", list(text()), &QuantizeSpec::keep_fp32, "layers and attentions left as they are", "none"),
          key("equalise", boolean(), &QuantizeSpec::equalise,
              "consecutive convolutions are scaled against each other first (cross-layer equalisation)"),
          key("smooth", number(0, 1), &QuantizeSpec::smooth,
              "how much of the spread of activations goes into weights first, behind layer normalisations (SmoothQuant's alpha)", "none of it"),
          key("correct_bias", boolean(), &QuantizeSpec::correct_bias,
              "biases make up for what rounded weights do to the mean"),
          key("validate", map(data_section), &QuantizeSpec::validate,
              "what the result is tried on, and what `mixed` and `search` choose by; keys not given are the job's",
              "the test split of the job's data set"),
          key("mixed", map(mixed_section), &QuantizeSpec::mixed, "mixed precision", "no"),
          key("qat", map(train_section), &QuantizeSpec::qat, "quantization-aware training, as `train`", "none"),
          key("search", map(search_section), &QuantizeSpec::search, "search over settings", "none"),
      });
  return made;
}

}  // namespace edgelab::batch
