// train and what stands under it.
#include "batch/job_file/binding.hpp"
#include "batch/job_file/sections.hpp"

namespace edgelab::batch {

using namespace tasks;

const Section& optimizer_section() {
  static const Section made = section<OptimizerSpec>(
      "optimizer", "",
      {
          key("name", choice(enum_choices<Optimizer>()), &OptimizerSpec::name, "the method"),
          key("lr", number(0, 1000), &OptimizerSpec::lr, "learning rate"),
          key("weight_decay", number(0, 1000), &OptimizerSpec::weight_decay, "decoupled in AdamW"),
          key("momentum", number(0, 1), &OptimizerSpec::momentum, "SGD"),
          key("nesterov", boolean(), &OptimizerSpec::nesterov, "SGD: Nesterov's momentum"),
      });
  return made;
}

const Section& schedule_section() {
  static const Section made = section<ScheduleSpec>(
      "schedule", "Of the learning rate. The name alone may stand for the map.",
      {
          key("name", choice(enum_choices<LearningRateSchedule>()), &ScheduleSpec::name, "the curve"),
          key("warmup_epochs", number(0, 1'000'000), &ScheduleSpec::warmup_epochs, "linear rise before it"),
          key("step_epochs", list(number(0, 1'000'000)), &ScheduleSpec::step_epochs,
              "`step`: after how many epochs the rate falls", "a half and three quarters of `epochs`"),
          key("gamma", number_above(0, 1), &ScheduleSpec::gamma, "`step`: what it is multiplied by"),
      });
  return made;
}

const Section& lora_section() {
  static const Section made = section<LoraSpec>(
      "lora", "Low-rank adapters.",
      {
          key("rank", integer(1, 4096), &LoraSpec::rank, "of the two factors"),
          key("alpha", number_above(0, 1'000'000), &LoraSpec::alpha, "the product is scaled by alpha / rank"),
          key("targets", list(text(), 1), &LoraSpec::targets, "layers", "the attention's projections"),
      });
  return made;
}

const Section& trainable_lora_section() {
  static const Section made{
      "trainable", "", {required(loader_key("lora", map(lora_section), "adapters alone are trained"))}, {}, false, {}};
  return made;
}

const Section& distill_section() {
  static const Section made = section<DistillSpec>(
      "distill", "Distillation.",
      {
          key("teacher", map(model_section), &DistillSpec::teacher, "as `model`"),
          key("temperature", number_above(0, 1000), &DistillSpec::temperature, "of both softmaxes"),
          key("weight", number(0, 1), &DistillSpec::weight, "of the teacher's loss; the labels' has the rest"),
          key("augmentations", integer(0, 1'000'000), &DistillSpec::augmentations,
              "epochs that are drawn differently, and then again, so that the teacher is asked once for each; 0: all "
              "differ"),
      });
  return made;
}

const Section& early_stopping_section() {
  static const Section made{
      "early_stopping",
      "Ends training that has stopped getting better; the best epoch's weights are then kept.",
      {required(loader_key("patience", integer(1, 1'000'000), "epochs without a better accuracy on held-out images"))},
      {},
      false,
      {}};
  return made;
}

const Section& search_section() {
  static const Section made = section<SearchSpec>(
      "search", "Tries settings, keeps the best.",
      {
          key("trials", integer(1, 1'000'000), &SearchSpec::trials, "at most"),
          key("budget", duration(1), &SearchSpec::budget_ns, "of wall-clock time over all trials", "none"),
          key("objective", choice(enum_choices<SearchObjective>()), &SearchSpec::objective,
              "what is made best on held-out images: accuracy, loss, or, of `quantize`, the file's size while the accuracy stays within `mixed.accuracy_budget` (else 1 point) of the floats'"),
      });
  return made;
}

namespace {

Key schedule_key() {
  return custom_key<TrainSpec>(
      "schedule", any_of({choice(enum_choices<LearningRateSchedule>()), map(schedule_section)}), "of the learning rate",
      "",
      [](TrainSpec& spec, const Value& value, const Type& type, WeightsFinder* weights) {
        if (value.is_map()) return read_member(value, type, spec.schedule, weights);
        spec.schedule.name = enum_named<LearningRateSchedule>(value.text);
      },
      [](const TrainSpec& spec, const Type& type) { return show_member(spec.schedule, type); });
}

// "last:2" → 2; nothing for anything else.
std::optional<std::int64_t> read_last(std::string_view text) {
  constexpr std::string_view kStart = "last:";
  if (text.substr(0, kStart.size()) != kStart || text.find('+') != text.npos) return {};
  const auto blocks = read_integer(text.substr(kStart.size()));
  return blocks && *blocks >= 1 && *blocks <= 9999 ? blocks : std::nullopt;
}

bool is_part(std::string_view text) { return text == "all" || text == "head" || read_last(text); }
bool is_trainable(std::string_view text) { return is_part(text) || text == "lora"; }

TrainableSpec read_trainable(std::string_view text) {
  TrainableSpec read;
  read.last = static_cast<int>(read_last(text).value_or(0));
  read.what = read.last ? Trainable::last : enum_named<Trainable>(text);
  return read;
}

Value show_trainable(const TrainableSpec& trainable) {
  const std::string name(enum_name(trainable.what));
  return text_value(trainable.what == Trainable::last ? name + ":" + std::to_string(trainable.last) : name);
}

Key trainable_key() {
  return custom_key<TrainSpec>(
      "trainable",
      any_of({text_of(is_trainable, "all|head|lora|last:[1-9][0-9]{0,3}", "all, head, last:N or lora"),
              map(trainable_lora_section)}),
      "which parameters move: `all`, `head`, `last:N` (blocks), `lora` or `{lora: {…}}`", "`all`",
      [](TrainSpec& spec, const Value& value, const Type&, WeightsFinder* weights) {
        spec.trainable = read_trainable(value.is_map() ? "lora" : value.text);
        const Value* lora = value.find("lora");
        if (lora && !lora->bad) fill_section(lora_section(), &spec.trainable.lora, *lora, weights);
      },
      [](const TrainSpec& spec, const Type&) -> std::optional<Value> {
        if (spec.trainable.what != Trainable::lora) return show_trainable(spec.trainable);
        return nested_value("lora", show_section(lora_section(), &spec.trainable.lora));
      });
}

Key reset_key() {
  return custom_key<TrainSpec>(
      "reset", text_of(is_part, "all|head|last:[1-9][0-9]{0,3}", "all, head or last:N"),
      "parameters that are drawn anew, from `seed`, before training: `all`, `head` or `last:N` (blocks)", "none",
      [](TrainSpec& spec, const Value& value, const Type&, WeightsFinder*) { spec.reset = read_trainable(value.text); },
      [](const TrainSpec& spec, const Type&) {
        return spec.reset ? std::optional(show_trainable(*spec.reset)) : std::nullopt;
      });
}

Key early_stopping_key() {
  return custom_key<TrainSpec>(
      "early_stopping", map(early_stopping_section), "see `early_stopping`", "none",
      [](TrainSpec& spec, const Value& value, const Type&, WeightsFinder* weights) {
        const Value* patience = value.find("patience");
        if (patience && !patience->bad)
          read_member(*patience, early_stopping_section().key("patience")->type, spec.early_stopping, weights);
      },
      [](const TrainSpec& spec, const Type&) -> std::optional<Value> {
        if (!spec.early_stopping) return {};
        return nested_value("patience", plain_value(std::to_string(*spec.early_stopping)));
      });
}

}  // namespace

const Section& train_section() {
  static const Section made = section<TrainSpec>(
      "train", "For `task: train`; `prune.finetune` and `quantize.qat` are alike.",
      {
          key("epochs", integer(1, 1'000'000), &TrainSpec::epochs, "passes over the data"),
          key("batch", integer(1, 1'000'000), &TrainSpec::batch, "samples a step, over all ranks", "the job's"),
          key("optimizer", map(optimizer_section), &TrainSpec::optimizer, "see `optimizer`"),
          schedule_key(),
          key("augment", list(choice({"crop", "flip", "mixup", "cutmix", "randaugment"})), &TrainSpec::augment,
              "of the training images, done in this order: crop, flip, randaugment; of mixup and cutmix together one a "
              "batch, by a coin",
              "none"),
          key("label_smoothing", number(0, 1), &TrainSpec::label_smoothing,
              "share of each target that is spread over all classes"),
          key("drop_last", boolean(), &TrainSpec::drop_last,
              "leave out what an epoch has beyond its last full batch; `false`: it makes a padded one"),
          key("accumulate", integer(1, 65'536), &TrainSpec::accumulate,
              "parts that a rank works through its share of a batch in, to need less memory"),
          key("clip_norm", number(0, 1e9), &TrainSpec::clip_norm,
              "gradients whose norm over all parameters is larger are scaled down to it; 0: none are"),
          key("ema", number(0, 1), &TrainSpec::ema,
              "decay of a moving average of the weights, which is then what is tried on held-out images and kept",
              "no average"),
          key("batch_norm", choice(enum_choices<BatchNormMode>()), &TrainSpec::batch_norm,
              "`frozen`: by the running statistics, which stay as they are"),
          trainable_key(),
          reset_key(),
          key("distill", map(distill_section), &TrainSpec::distill, "learn from a teacher too", "no teacher"),
          key("validate", map(data_section), &TrainSpec::validate,
              "as `data`: held-out images for the accuracy after each epoch; `dataset` and `path` are the job's unless "
              "given",
              "the test split of the job's data set"),
          early_stopping_key(),
          key("search", map(search_section), &TrainSpec::search, "search over settings", "none"),
      });
  return made;
}

}  // namespace edgelab::batch
