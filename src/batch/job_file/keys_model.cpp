// data, model, measure, parallel.
#include "batch/job_file/binding.hpp"
#include "batch/job_file/sections.hpp"
#include "models/arch.hpp"

namespace edgelab::batch {

using namespace tasks;

constexpr std::int64_t kMostPixels = 8192;

const Section& data_section() {
  static const Section made = section<DataSpec>(
      "data", "The images.",
      {
          key("dataset", choice({"cifar10", "cifar100", "images", "shapes10"}), &DataSpec::dataset,
              "`images`: a folder with one folder of PNG or JPEG files a class; `shapes10`: drawn by edgelab, nothing "
              "to download"),
          key("path", path(), &DataSpec::path, "folder that holds the files",
              "`$EDGELAB_DATA/<the archive's usual folder>`, else `~/.cache/edgelab/data`"),
          key("split", choice(enum_choices<Split>()), &DataSpec::split, "only this split's files need exist",
              "`test`; `train` where the task is that"),
          key("limit", integer(1, 1'000'000'000), &DataSpec::limit, "the first N images in file order, after `shuffle`",
              "all"),
          key("per_class", integer(1, 1'000'000'000), &DataSpec::per_class, "the first N images of each class", "all"),
          key("shuffle", boolean(), &DataSpec::shuffle, "in an order that `seed` gives"),
          key("resize", integer(1, kMostPixels), &DataSpec::resize, "pixels a side", "the model's input size"),
          key("interpolation", choice(enum_choices<Interpolation>()), &DataSpec::interpolation,
              "with antialiasing, as torchvision does it"),
      });
  return made;
}

const Section& weights_job_section() {
  static const Section made{
      "weights",
      "What another job made.",
      {required(loader_key("job", job_id(), "the job whose `output.model` it is; it must be in `needs`"))},
      {},
      false,
      {}};
  return made;
}

namespace {

std::vector<std::string> arch_names() {
  std::vector<std::string> names;
  for (const models::ArchInfo& arch : models::arches()) names.push_back(arch.name);
  return names;
}

}  // namespace

const Section& model_section() {
  static const Section made = section<ModelSpec>(
      "model", "The network.",
      {
          key("arch", choice(arch_names()), &ModelSpec::arch, "torchvision's or timm's name"),
          key("weights", any_of({weights_file(), map(weights_job_section)}), &ModelSpec::weights,
              "a safetensors file beside the job file or under `$EDGELAB_MODELS`, `random` (from `seed`), or `{job: "
              "ID}`"),
          key("classes", integer(1, 1'000'000), &ModelSpec::classes, "outputs", "the data set's, or 1000 without data"),
          key("input_size", integer(1, kMostPixels), &ModelSpec::input_size, "pixels a side, for `bench`",
              "the architecture's"),
          key("img_size", integer(1, kMostPixels), &ModelSpec::img_size, "ViT family: pixels a side",
              "the architecture's"),
          key("patch_size", integer(1, kMostPixels), &ModelSpec::patch_size, "ViT family: pixels a side of a patch",
              "the architecture's"),
          key("depth", integer(1, 1024), &ModelSpec::depth, "ViT family: transformer blocks", "the architecture's"),
          key("embed_dim", integer(1, 65'536), &ModelSpec::embed_dim, "ViT family: width of a token",
              "the architecture's"),
          key("num_heads", integer(1, 1024), &ModelSpec::num_heads, "ViT family: attention heads",
              "the architecture's"),
          key("width_mult", number_above(0, 16), &ModelSpec::width_mult, "MobileNetV2: width multiplier", "1"),
      });
  return made;
}

const Section& measure_section() {
  static const Section made = section<MeasureSpec>(
      "measure", "How often.",
      {
          key("warmup", integer(0, 1'000'000), &MeasureSpec::warmup, "untimed passes before the first repeat"),
          key("repeats", integer(1, 1'000'000), &MeasureSpec::repeats,
              "timed passes; `evaluate` goes through the data once"),
      });
  return made;
}

namespace {

// One way is what there is without the key, so it isn't shown: `strategy` can't stand beside a way.
Key way_key(std::string name, int ParallelSpec::*member, std::string doc) {
  return custom_key<ParallelSpec>(
      std::move(name), integer(1, 65'536), std::move(doc), "1",
      [member](ParallelSpec& spec, const Value& value, const Type& type, WeightsFinder*) {
        read_member(value, type, spec.*member, nullptr);
      },
      [member](const ParallelSpec& spec, const Type& type) {
        return spec.*member == 1 ? std::nullopt : show_member(spec.*member, type);
      });
}

Key partition_key() {
  return custom_key<ParallelSpec>(
      "partition", any_of({choice({"auto"}), list(integer(0, 1'000'000), 1)}),
      "layers a stage: transformer blocks or inverted residuals; the stem goes to the first stage, the head to the "
      "last; `auto` may cut at any op",
      "`auto`",
      [](ParallelSpec& spec, const Value& value, const Type& type, WeightsFinder*) {
        spec.partition.clear();
        if (value.is_list()) read_member(value, type, spec.partition, nullptr);
      },
      [](const ParallelSpec& spec, const Type& type) {
        return spec.partition.empty() ? std::optional(text_value("auto")) : show_member(spec.partition, type);
      });
}

}  // namespace

const Section& parallel_section() {
  static const Section made = [] {
    Section all = section<ParallelSpec>(
        "parallel",
        "How one job is split over its ranks. A hybrid gives ways, whose product is `ranks`, instead of `strategy`.",
        {
            key("strategy", choice(enum_choices<Strategy>()), &ParallelSpec::strategy, "`auto`: the planner's choice",
                "`evaluate` shards the data"),
            key("microbatch", integer(1, 65'536), &ParallelSpec::microbatch,
                "samples that go through the stages together"),
            partition_key(),
            key("wire", choice(enum_choices<Wire>()), &ParallelSpec::wire, "number format of what travels"),
            way_key("pipeline", &ParallelSpec::pipeline, "stages of a hybrid"),
            way_key("tensor", &ParallelSpec::tensor, "tensor-parallel ways of a hybrid"),
            way_key("sequence", &ParallelSpec::sequence, "sequence-parallel ways of a hybrid"),
            way_key("data", &ParallelSpec::data, "copies of the split model, each with a shard of the data"),
        });
    all.alternatives = {{"strategy"}, {"pipeline", "tensor", "sequence", "data"}};
    return all;
  }();
  return made;
}

}  // namespace edgelab::batch
