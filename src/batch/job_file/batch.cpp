#include "batch/job_file/batch.hpp"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "batch/job_file/binding.hpp"
#include "batch/job_file/check.hpp"
#include "batch/job_file/cluster_reader.hpp"
#include "batch/job_file/cross_checks.hpp"
#include "batch/job_file/document.hpp"
#include "batch/job_file/job_names.hpp"
#include "batch/job_file/overrides.hpp"
#include "batch/job_file/references.hpp"
#include "batch/job_file/roots.hpp"
#include "batch/job_file/sections.hpp"
#include "batch/job_file/selection.hpp"
#include "batch/job_file/sweep.hpp"
#include "batch/job_file/weights_finder.hpp"
#include "batch/job_file/yaml_reader.hpp"

namespace edgelab::batch {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostJobs = 20'000;

bool good_id(const std::string& id) { return !id.empty() && id.size() <= 500 && id.front() != ' ' && id.back() != ' '; }

void check_id_and_task(Outline& outline, ErrorList& errors) {
  const Value* id = outline.value.find("id");
  if (id && !id->bad) {
    if (good_id(id->text)) {
      outline.own_id = id->text;
    } else {
      errors.add(usage_error(id->place, "an id is at most 500 bytes long and neither begins nor ends with a space"),
                 id->place);
    }
  }
  if (!outline.incomplete && !outline.value.find("task")) {
    const Place& place = id ? id->place : outline.value.place;
    errors.add(usage_error(place, (outline.own_id.empty() ? "the job" : "\"" + outline.own_id + "\"") + " has no \"task\"")
                   .expected(described(job_section().key("task")->type)),
               place);
  }
}

void check_has_jobs(const Document& document, bool cluster_suffices, ErrorList& errors) {
  const bool has_cluster = document.cluster.is_map();
  if (!document.jobs.empty() || document.incomplete || (has_cluster && cluster_suffices)) return;
  errors.add(usage_error(document.start, "the file has no jobs")
                 .hint(has_cluster ? "a file that only describes a cluster is for --hosts and include:" : "list them under jobs:"),
             document.start);
}

std::vector<Outline> outlines_of(const std::vector<Document>& documents, const JobNames& names, bool cluster_suffices,
                                 ErrorList& errors) {
  std::vector<Outline> outlines;
  for (const Document& document : documents) {
    check_has_jobs(document, cluster_suffices, errors);
    for (const Value& job : document.jobs) {
      Outline outline;
      outline.value = merged(document.defaults, job, job_section());
      outline.value.place = job.place;
      outline.document = static_cast<std::size_t>(&document - documents.data());
      outline.incomplete = document.incomplete;
      check_id_and_task(outline, errors);
      outline.id = names.in_batch(outline.own_id, document);
      if (outline.id != outline.own_id && !good_id(outline.id)) {
        const Place& place = outline.value.find("id")->place;
        errors.add(usage_error(place, "another file has this id too, and with its file's name in front it is no good id")
                       .got("\"" + outline.id + "\"")
                       .hint("give the file a shorter name"),
                   place);
      }
      outline.combinations = combinations_of(outline.value, errors);
      outlines.push_back(std::move(outline));
    }
  }
  return outlines;
}

std::vector<Member> members_of(std::vector<Outline>& outlines, ErrorList& errors) {
  std::vector<Member> members;
  for (std::size_t at = 0; at < outlines.size(); ++at) {
    Outline& outline = outlines[at];
    outline.first_member = members.size();
    if (members.size() + outline.combinations.size() > kMostJobs) {
      errors.add(usage_error(outline.value.place, "the batch has more jobs than one batch may have, 20,000")
                     .hint("split it into several"),
                 outline.value.place);
      outline.combinations.clear();
    }
    for (std::size_t combination = 0; combination < outline.combinations.size(); ++combination) {
      const std::string suffix =
          outline.id.empty() ? "" : member_suffix(outline.value, outline.combinations[combination]);
      members.push_back({at, combination, outline.id + suffix});
    }
  }
  return members;
}

tasks::JobSpec spec_of(const Value& value, WeightsFinder* weights) {
  tasks::JobSpec spec;
  fill_section(job_section(), &spec, value, weights);
  spec.place = value.place.shown();
  return spec;
}

// What one learns from, unless one says otherwise.
void settle_split(tasks::JobSpec& spec) {
  if (!spec.data.split) spec.data.split = spec.task == tasks::Task::train || spec.task == tasks::Task::prune || spec.task == tasks::Task::quantize ? tasks::Split::train : tasks::Split::test;
}

std::string resolved_of(const tasks::JobSpec& spec) { return to_json(show_section(job_section(), &spec)); }

// Fills jobs and origins with the wanted members.
void fill_jobs(Batch& batch, const std::vector<Outline>& outlines, const std::vector<Member>& members,
               const std::vector<bool>& wanted, const Ids& ids, ErrorList& errors) {
  WeightsFinder weights(errors);
  std::vector<std::size_t> job_of(members.size());  // of a wanted member
  std::vector<std::vector<std::size_t>> references;
  for (std::size_t at = 0; at < members.size(); ++at) {
    const Outline& outline = outlines[members[at].outline];
    const Combination& combination = outline.combinations[members[at].combination];
    Value value = member_value(outline.value, combination);
    check_references(value, outline, ids, errors);
    if (wanted[at]) references.push_back(members_referred_to(value, outline.document, ids));
    rename_references(value, outline.document, ids);
    tasks::JobSpec spec = spec_of(value, wanted[at] ? &weights : nullptr);
    cross_check(value, spec, errors, outline.incomplete);
    if (!wanted[at]) continue;
    JobOrigin origin;
    spec.id = members[at].id;
    if (!combination.empty()) {
      spec.sweep = outline.id;
      origin.place_in_sweep = members[at].combination;
    }
    spec.needs.clear();
    for (const std::size_t needed : outline.needs) {
      if (wanted[needed]) spec.needs.push_back(members[needed].id);
    }
    settle_split(spec);
    spec.resolved = resolved_of(spec);
    job_of[at] = batch.jobs.size();
    batch.jobs.push_back(std::move(spec));
    batch.origins.push_back(origin);
  }
  for (std::size_t job = 0; job < references.size(); ++job) {
    for (const std::size_t member : references[job]) batch.origins[job].refers_to.push_back(job_of[member]);
  }
}

// All but `files` and `resolved`; the name only if a document gives one.
Batch batch_of(std::vector<Document>& documents, const LoadOptions& options, ErrorList& errors) {
  const JobNames names(documents);
  apply_overrides(options.set, documents, names, errors);
  for (const Document& document : documents) check_roots(document, options.roots, errors);

  std::vector<Outline> outlines = outlines_of(documents, names, options.cluster_suffices, errors);
  const std::vector<Member> members = members_of(outlines, errors);
  const Ids ids(outlines, members, errors);
  resolve_needs(outlines, ids, errors);
  report_cycles(outlines, members, errors);
  const std::vector<bool> wanted = selected_members(options, outlines, members, ids, errors);

  Batch batch;
  batch.cluster = read_cluster(documents, errors);
  fill_jobs(batch, outlines, members, wanted, ids, errors);
  errors.throw_if_any();
  if (!documents.empty() && documents.front().name.is_scalar()) batch.name = documents.front().name.text;
  return batch;
}

Value from_json(const nlohmann::ordered_json& json, const Place& place, std::size_t depth) {
  Value value;
  if (json.is_string()) value = text_value(json.get<std::string>());
  if (json.is_boolean() || json.is_number()) value = plain_value(json.dump());
  if (json.is_object()) value = map_value();
  if (json.is_array()) value.kind = Value::Kind::list;
  value.place = place;
  if (depth > kMostDepth) return value;  // an empty list or map, which the check refuses where it matters
  if (json.is_array()) {
    for (const auto& item : json) value.items.push_back(from_json(item, place, depth + 1));
  }
  if (json.is_object()) {
    for (const auto& [key, item] : json.items()) add_entry(value, key, from_json(item, place, depth + 1));
  }
  return value;
}

}  // namespace

std::string resolved_file(const std::string& name, const std::vector<tasks::JobSpec>& jobs,
                          const std::optional<ClusterSpec>& cluster) {
  std::string text = "name: " + to_flow_yaml(text_value(name));
  if (cluster) text += "\ncluster:\n  " + to_block_yaml(show_cluster(*cluster), 2, 1);
  text += jobs.empty() ? "" : "\njobs:";
  for (const tasks::JobSpec& job : jobs) text += "\n  - " + to_block_yaml(show_section(job_section(), &job), 4, 1);
  return text + "\n";
}

Batch load_batch(const std::vector<fs::path>& files, const LoadOptions& options) {
  ErrorList errors;
  DocumentReader reader(errors);
  std::vector<Document> documents;
  for (const fs::path& file : files) documents.push_back(reader.read(file));
  Batch batch = batch_of(documents, options, errors);
  batch.files = reader.files();
  if (batch.name.empty() && !files.empty()) batch.name = files.front().stem().string();
  batch.resolved = resolved_file(batch.name, batch.jobs, batch.cluster);
  return batch;
}

Batch load_batch_text(const std::string& name, const std::string& text, const LoadOptions& options) {
  ErrorList errors;
  DocumentReader reader(errors);
  std::vector<Document> documents = {reader.read_text(name, text)};
  Batch batch = batch_of(documents, options, errors);
  if (batch.name.empty()) batch.name = name;
  batch.resolved = resolved_file(batch.name, batch.jobs, batch.cluster);
  return batch;
}

tasks::JobSpec parse_resolved_job(const std::string& json) {
  ErrorList errors;
  const Place place{std::make_shared<const SourceFile>(SourceFile{"resolved job", fs::path("/"), 0}), 0, 0};
  const auto parsed = nlohmann::ordered_json::parse(json, nullptr, false);
  Value value = from_json(parsed.is_discarded() ? nlohmann::ordered_json() : parsed, place, 0);
  check(value, map(job_section), "", errors);
  if (value.is_map() && !value.find("task")) errors.add(usage_error(place, "the job has no \"task\""), place);
  tasks::JobSpec spec = spec_of(value, nullptr);
  spec.place = {};
  if (errors.empty()) cross_check(value, spec, errors);
  errors.throw_if_any();
  spec.resolved = resolved_of(spec);
  return spec;
}

}  // namespace edgelab::batch
