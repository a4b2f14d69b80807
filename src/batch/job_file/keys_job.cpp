// A job's own keys, and the top of a file.
#include <algorithm>

#include "batch/job_file/binding.hpp"
#include "batch/job_file/expectations.hpp"
#include "batch/job_file/sections.hpp"

namespace edgelab::batch {

using namespace tasks;

const Section& requires_section() {
  static const Section made =
      section<RequiresSpec>("requires", "What a host must have to be given the job.",
                            {
                                key("memory", bytes(), &RequiresSpec::memory_bytes, "of the host", "any"),
                                key("features", list(text()), &RequiresSpec::features,
                                    "of its processor, as `/proc/cpuinfo` names them; `neon-dotprod` and the like are known too",
                                    "any"),
                            });
  return made;
}

const Section& scenario_section() {
  static const Section made = section<ScenarioSpec>(
      "scenario", "How queries arrive, as in MLPerf Inference's LoadGen. The kind alone may stand for the map. For `task: infer` and `bench`.",
      {
          key("kind", choice(enum_choices<Scenario>()), &ScenarioSpec::kind, "which; [measuring.md](measuring.md) says what each is"),
          key("latency_bound", duration(1), &ScenarioSpec::latency_bound_ns,
              "`server`: what 99 % of the queries may take at most, waiting included", "`server` must have it"),
          key("rate", number_above(0, 1e9), &ScenarioSpec::rate, "`server`: queries a second", "the highest within the bound is searched"),
          key("tolerance", number_above(0, 0.5), &ScenarioSpec::tolerance, "`server`: to what share the search finds the rate"),
          key("samples_per_query", integer(1, 100'000), &ScenarioSpec::samples_per_query, "`multi_stream`"),
          key("min_queries", integer(1, 100'000'000), &ScenarioSpec::min_queries, "at least so many; of `offline`, samples",
              "what tells the percentile at 99 % confidence: 64, or 662 for the 99th; of `offline`, 64 calls"),
          key("min_duration", duration(1), &ScenarioSpec::min_duration_ns, "at least so long; MLPerf asks for 10m"),
          key("max_duration", duration(1), &ScenarioSpec::max_duration_ns, "no longer, though it is too few then"),
      });
  return made;
}

const Section& output_section() {
  static const Section made{
      "output",
      "What the job leaves behind.",
      {loader_key("model", path(), "file for the weights; a later job can say `weights: {job: ID}`", "none")},
      {},
      false,
      {}};
  return made;
}

namespace {

// "2 epochs", "500 steps" or a duration; nothing for anything else.
std::optional<CheckpointSpec> read_every(std::string_view text) {
  CheckpointSpec every;
  const std::size_t space = text.find(' ');
  if (space == text.npos) {
    every.every_ns = read_duration(text);
    return every.every_ns.value_or(0) > 0 ? std::optional(every) : std::nullopt;
  }
  const auto count = read_integer(text.substr(0, space));
  const std::string_view unit = text.substr(space + 1);
  if (!count || *count < 1 || *count > 999'999'999) return {};
  if (unit == "epoch" || unit == "epochs") every.every_epochs = count;
  if (unit == "step" || unit == "steps") every.every_steps = count;
  return every.every_epochs || every.every_steps ? std::optional(every) : std::nullopt;
}

bool is_every(std::string_view text) { return read_every(text).has_value(); }
bool is_name(std::string_view text) { return text.size() <= 64 && text.find('/') == text.npos; }

}  // namespace

const Section& checkpoint_section() {
  static const Section made{
      "checkpoint",
      "So that `--resume` goes on inside a job. Checkpoints lie beside the results: `r.h5` has `r.artifacts`.",
      {
          loader_key("every",
                     text_of(is_every, "[1-9][0-9]{0,8} (epochs?|steps?)|[0-9]+([.][0-9]+)?(ns|us|ms|s|m|h)",
                             "2 epochs, 500 steps or a duration such as 10m"),
                     "`2 epochs`, `500 steps` or `10m`", "each epoch"),
          loader_key("keep", integer(1, 1'000'000), "how many of the newest are kept; beside them the best is", "2"),
      },
      {},
      false,
      {}};
  return made;
}

namespace {

Key expect_key() {
  return custom_key<JobSpec>(
      "expect", list(map(expectation_section)), "checked at the end; see `expect`", "none",
      [](JobSpec& spec, const Value& value, const Type&, WeightsFinder*) { spec.expect = read_expectations(value); },
      [](const JobSpec& spec, const Type&) {
        return spec.expect.empty() ? std::nullopt : std::optional(show_expectations(spec.expect));
      });
}

Key on_failure_key() {
  return custom_key<JobSpec>(
      "on_failure", choice({"continue", "stop"}), "`stop`: start nothing more once this job has failed", "`continue`",
      [](JobSpec& spec, const Value& value, const Type&, WeightsFinder*) {
        spec.stop_on_failure = value.text == "stop";
      },
      [](const JobSpec& spec, const Type&) {
        return std::optional(text_value(spec.stop_on_failure ? "stop" : "continue"));
      });
}

Key output_key() {
  return custom_key<JobSpec>(
      "output", map(output_section), "see `output`", "none",
      [](JobSpec& spec, const Value& value, const Type&, WeightsFinder*) {
        const Value* model = value.find("model");
        if (model && !model->bad) spec.output_model = model->absolute;
      },
      [](const JobSpec& spec, const Type&) {
        return spec.output_model.empty() ? std::nullopt
                                         : std::optional(nested_value("model", text_value(spec.output_model)));
      });
}

Key scenario_key() {
  return custom_key<JobSpec>(
      "scenario", any_of({choice(enum_choices<Scenario>()), map(scenario_section)}), "how queries arrive: a kind, or see `scenario`",
      "one after the other, `measure.repeats` times through the data",
      [](JobSpec& spec, const Value& value, const Type& type, WeightsFinder* weights) {
        if (value.is_map()) return read_member(value, type, spec.scenario, weights);
        spec.scenario.emplace().kind = enum_named<Scenario>(value.text);
      },
      [](const JobSpec& spec, const Type& type) { return show_member(spec.scenario, type); });
}

void read_checkpoint(JobSpec& spec, const Value& value) {
  const Value* every = value.find("every");
  if (every && !every->bad) spec.checkpoint = read_every(every->text).value_or(CheckpointSpec{});
  const Value* keep = value.find("keep");
  if (keep && !keep->bad) read_member(*keep, checkpoint_section().key("keep")->type, spec.checkpoint.keep, nullptr);
}

std::optional<Value> show_checkpoint(const JobSpec& spec) {
  const CheckpointSpec& every = spec.checkpoint;
  std::string text;
  if (every.every_epochs) text = std::to_string(*every.every_epochs) + " epochs";
  if (every.every_steps) text = std::to_string(*every.every_steps) + " steps";
  if (every.every_ns) text = write_duration(*every.every_ns);
  if (every == CheckpointSpec{}) return {};
  Value shown = map_value();
  if (!text.empty()) add_entry(shown, "every", text_value(text));
  add_entry(shown, "keep", plain_value(std::to_string(every.keep)));
  return shown;
}

Key checkpoint_key() {
  return custom_key<JobSpec>(
      "checkpoint", map(checkpoint_section), "see `checkpoint`", "none",
      [](JobSpec& spec, const Value& value, const Type&, WeightsFinder*) { read_checkpoint(spec, value); },
      [](const JobSpec& spec, const Type&) { return show_checkpoint(spec); });
}

Type sweep_type(Type::Kind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Section without(Section section, std::string name, const std::vector<std::string>& keys) {
  section.name = std::move(name);
  std::erase_if(section.keys,
                [&](const Key& key) { return std::find(keys.begin(), keys.end(), key.name) != keys.end(); });
  for (Key& each : section.keys) each.required = false;
  return section;
}

}  // namespace

const Section& job_section() {
  static const Section made = section<JobSpec>(
      "a job", "An item of `jobs`. All but `id` and `needs` may stand in `defaults` too.",
      {
          required(key("id", text(), &JobSpec::id, "its name, once in a file")),
          key("task", choice(enum_choices<Task>()), &JobSpec::task, "what it does", "must be given"),
          key("needs", one_or_list(job_id()), &JobSpec::needs,
              "jobs that must be done before; a sweep's id means all its members", "none"),
          key("data", map(data_section), &JobSpec::data, "see `data`"),
          key("model", map(model_section), &JobSpec::model, "see `model`"),
          key("measure", map(measure_section), &JobSpec::measure, "see `measure`"),
          key("ranks", integer(1, 65'536), &JobSpec::ranks, "MPI ranks that it takes"),
          key("batch", integer(1, 1'000'000), &JobSpec::batch, "samples a call"),
          key("threads", integer(1, 4096), &JobSpec::threads, "a rank",
              "the cores in the rank's affinity mask, shared among unbound ranks of one host"),
          key("device", one_or_list(choice(enum_choices<Device>()), 1), &JobSpec::device,
              "or a list in order of preference: `[cuda, cpu]`"),
          key("precision", choice(enum_choices<Precision>()), &JobSpec::precision, "of the arithmetic; `tf32` is what tensor cores of CUDA devices make of fp32"),
          key("attention", choice(enum_choices<Attention>()), &JobSpec::attention,
              "ViT family: how attention is computed; with `precision: int8`, `auto` is in integers and the others in floats"),
          key("graph", choice(enum_choices<GraphMode>()), &JobSpec::graph,
              "`eager`: op by op as the model is written; `fused`: after the passes"),
          key("seed", integer(0, INT64_MAX), &JobSpec::seed, "of random weights, shuffling and training"),
          key("parallel", map(parallel_section), &JobSpec::parallel, "see `parallel`"),
          key("keep_logits", boolean(), &JobSpec::keep_logits, "keep them in the results"),
          expect_key(),
          scenario_key(),
          key("train", map(train_section), &JobSpec::train, "see `train`", "none"),
          key("prune", map(prune_section), &JobSpec::prune, "see `prune`", "none"),
          key("quantize", map(quantize_section), &JobSpec::quantize, "see `quantize`", "none"),
          output_key(),
          checkpoint_key(),
          loader_key("matrix", sweep_type(Type::Kind::matrix),
                     "a sweep: one job for each combination; keys may be dotted (`quantize.weights: [int8, int4]`)",
                     "none"),
          loader_key("exclude", sweep_type(Type::Kind::exclude), "combinations of the matrix to leave out", "none"),
          key("max_parallel", integer(1, 65'536), &JobSpec::max_parallel, "members of this sweep at once", "no limit"),
          key("retries", integer(0, 1000), &JobSpec::retries, "more attempts after a failed one"),
          key("time_limit", duration(1), &JobSpec::time_limit_ns, "of an attempt", "none"),
          key("priority", integer(-1'000'000, 1'000'000), &JobSpec::priority, "higher goes first"),
          on_failure_key(),
          key("requires", map(requires_section), &JobSpec::requirements, "see `requires`", "nothing"),
          key("placement", choice(enum_choices<Placement>()), &JobSpec::placement,
              "of its ranks: `pack` on as few hosts as can be, `spread` evenly over as many"),
          key("memory_limit", bytes(), &JobSpec::memory_limit_bytes, "of a rank; training recomputes more to keep it",
              "none"),
          key("sweep", text(), &JobSpec::sweep, "the sweep that the job came from; edgelab writes it in resolved files",
              "none"),
      });
  return made;
}

const Section& defaults_section() {
  static const Section made = without(job_section(), "defaults", {"id", "needs", "sweep"});
  return made;
}

const Section& override_section() {
  static const Section made = without(job_section(), "an override", {"id", "sweep"});
  return made;
}

const Section& file_section() {
  static const Section made{
      "a job file",
      "",
      {
          loader_key("name", text_of(is_name, "[^/]{1,64}", "a text without /, at most 64 bytes"),
                     "of the batch; the results file is named after it", "the file's name"),
          loader_key("include", one_or_list(path()),
                     "job files that this one builds on, merged in order; what is said later wins", "none"),
          loader_key("defaults", map(defaults_section), "merged into every job, key by key; scalars and lists replace",
                     "none"),
          loader_key("jobs", list(map(job_section)), "in the order in which they are listed in the results",
                     "those of the included files"),
          loader_key("cluster", map(cluster_section), "see `cluster`; merged like `defaults`", "the machine at hand"),
      },
      {},
      false,
      {}};
  return made;
}

std::vector<const Section*> all_sections() {
  return {&file_section(),     &job_section(),      &data_section(),        &model_section(),
          &measure_section(),  &scenario_section(), &parallel_section(), &expectation_section(), &outputs_match_section(),
          &speedup_section(),  &drop_section(),     &train_section(),       &optimizer_section(),
          &schedule_section(), &lora_section(),     &distill_section(),     &early_stopping_section(),
          &search_section(),   &prune_section(),    &quantize_section(),    &calibration_section(),
          &mixed_section(),    &requires_section(), &checkpoint_section(),  &output_section(),
          &cluster_section(),  &host_section()};
}

}  // namespace edgelab::batch
