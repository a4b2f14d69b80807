// The expectations: each is a map with one key.
#include "batch/job_file/binding.hpp"
#include "batch/job_file/expectations.hpp"
#include "batch/job_file/sections.hpp"

namespace edgelab::batch {

using namespace tasks;

namespace {

Key job_key() { return required(loader_key("job", job_id(), "the job compared with; it must be in `needs`")); }

}  // namespace

const Section& outputs_match_section() {
  static const Section made{
      "outputs_match",
      "",
      {
          job_key(),
          required(loader_key("rtol", number(0, 1e6),
                              "max abs(a − b) ≤ rtol × the standard deviation of the reference job's logits")),
      },
      {},
      false,
      {}};
  return made;
}

const Section& speedup_section() {
  static const Section made{
      "speedup_over, latency_speedup_over, layer_speedup_over",
      "",
      {
          job_key(),
          required(loader_key("at_least", number(0, 1e9),
                              "ratio; recorded but not judged where the ranks compared share one host's cores")),
      },
      {},
      false,
      {}};
  return made;
}

const Section& drop_section() {
  static const Section made{"top1_drop_at_most",
                            "",
                            {
                                job_key(),
                                required(loader_key("points", number(-100, 100), "percentage points")),
                            },
                            {},
                            false,
                            {}};
  return made;
}

const Section& expectation_section() {
  static const Section made{
      "expect",
      "A list of maps with one key each, checked when the job ends; one that fails, fails the job.",
      {
          loader_key("outputs_match", map(outputs_match_section), "same logits as that job; needs no `keep_logits`"),
          loader_key("speedup_over", map(speedup_section), "of `throughput_samples_per_second`"),
          loader_key("latency_speedup_over", map(speedup_section), "of the median latency"),
          loader_key("layer_speedup_over", map(speedup_section), "of the layer or block that gained least, by the tables of layers"),
          loader_key("top1_at_least", number(0, 1), "a fraction"),
          loader_key("top1_drop_at_most", map(drop_section), "accuracy lost against that job"),
          loader_key("latency_p50_at_most", duration(1), "with its unit: `12ms`"),
          loader_key("model_bytes_at_most", bytes(), "of the weights' file"),
      },
      {},
      true,
      {}};
  return made;
}

namespace {

// The key beside `job`: what is bounded.
const Key& bound_key(const Section& section) { return section.keys.back(); }

Value show_expectation(const Expectation& expectation) {
  const Key& key = *expectation_section().key(enum_name(expectation.kind));
  if (key.type.kind != Type::Kind::map) return nested_value(key.name, show_amount(expectation.bound, key.type));
  const Key& bound = bound_key(key.type.section());
  Value inner = map_value();
  add_entry(inner, "job", text_value(expectation.job));
  add_entry(inner, bound.name, show_amount(expectation.bound, bound.type));
  return nested_value(key.name, std::move(inner));
}

Expectation read_expectation(const Entry& entry) {
  const Key& key = *expectation_section().key(entry.key);
  Expectation expectation;
  expectation.kind = enum_named<Expectation::Kind>(entry.key);
  if (entry.value.is_map()) {
    const Key& bound = bound_key(key.type.section());
    if (const Value* job = entry.value.find("job")) expectation.job = job->text;
    if (const Value* value = entry.value.find(bound.name)) expectation.bound = read_amount(*value, bound.type);
  } else {
    expectation.bound = read_amount(entry.value, key.type);
  }
  expectation.text = to_flow_yaml(show_expectation(expectation));
  expectation.text = expectation.text.substr(1, expectation.text.size() - 2);  // without the braces
  return expectation;
}

}  // namespace

std::vector<Expectation> read_expectations(const Value& list) {
  std::vector<Expectation> all;
  for (const Value& item : list.items) {
    if (!item.bad && item.entries.size() == 1 && !item.entries[0].value.bad &&
        expectation_section().key(item.entries[0].key)) {
      all.push_back(read_expectation(item.entries[0]));
    }
  }
  return all;
}

Value show_expectations(const std::vector<Expectation>& expectations) {
  Value list;
  list.kind = Value::Kind::list;
  for (const Expectation& each : expectations) list.items.push_back(show_expectation(each));
  return list;
}

}  // namespace edgelab::batch
